"""Language models made of several: one for each chain, or one that proposes beside one that scores."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from samplers.first_states import KeywordBlocks, construct
from samplers.language import LanguageModel, ProposalQuery, ProposalReply, Scored
from samplers.sequential_starts import likeliest
from samplers.smc import SequentialMonteCarlo
from samplers.state import State
from samplers.target import Target

LEAST_PARTICLES = 16
"""Particles of each model's chains, however many models there are."""


class Wrapped:
    """A sentence with the score of the model whose law it is under, and more beside it."""

    __slots__ = ()
    scored: Scored

    @property
    def tokens(self) -> tuple[int, ...]:
        """Token ids."""
        return self.scored.tokens

    @property
    def log_probs(self) -> npt.NDArray[np.float64]:
        """See :class:`samplers.language.Scored`."""
        return self.scored.log_probs


@dataclass(frozen=True, slots=True, eq=False)
class Routed(Wrapped):
    """A sentence scored by one of several models.

    Attributes:
        scored: the model's own.
        model: its place among them.
    """

    scored: Scored
    model: int


@dataclass(frozen=True, slots=True)
class RoutedModel:
    """A model for each chain, under a context of its own, say: each chain keeps the law of its own model.

    A sentence goes to the model of its base. One without a base is that of the chain at its place, so that such
    a call has a sentence for every chain; :func:`construct_each` draws first states.

    Attributes:
        models: one for each chain; the same object where chains share it.
    """

    models: Sequence[LanguageModel[Any]]
    _first: dict[int, int] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        for place, model in enumerate(self.models):
            self._first.setdefault(id(model), place)

    async def score(self, sentences: Sequence[tuple[int, ...]], bases: Sequence[Routed | None]) -> list[Routed]:
        """See :meth:`samplers.language.LanguageModel.score`.

        Raises:
            ValueError: a sentence has no base, and it can be of several models, the sentences not being one for each
                chain.
        """
        if None in bases and len(self._first) > 1 and len(sentences) != len(self.models):
            raise ValueError(f"{len(sentences)} sentences, some without a base, for {len(self.models)} chains")
        routes = [
            (self._first[id(self.models[place])] if len(self._first) > 1 else 0) if base is None else base.model
            for place, base in enumerate(bases)
        ]

        async def scored(route: int, places: Sequence[int]) -> Sequence[Scored]:
            own = [None if (base := bases[place]) is None else base.scored for place in places]
            return await self.models[route].score([sentences[place] for place in places], own)

        groups = _places(routes)
        answers = await asyncio.gather(*(scored(*group) for group in groups.items()))
        found = {
            place: Routed(one, route)
            for (route, places), of_route in zip(groups.items(), answers, strict=True)
            for place, one in zip(places, of_route, strict=True)
        }
        return [found[place] for place in range(len(sentences))]

    async def propose(self, scored: Sequence[Routed], queries: Sequence[ProposalQuery]) -> list[ProposalReply]:
        """See :meth:`samplers.language.LanguageModel.propose`."""
        groups = _places([one.model for one in scored])
        answers = await asyncio.gather(
            *(
                self.models[route].propose(
                    [scored[place].scored for place in places], [queries[place] for place in places]
                )
                for route, places in groups.items()
            )
        )
        found = {
            place: reply
            for places, of_route in zip(groups.values(), answers, strict=True)
            for place, reply in zip(places, of_route, strict=True)
        }
        return [found[place] for place in range(len(queries))]


@dataclass(slots=True, eq=False)
class Doubly(Wrapped):
    """A sentence with its score, and what the proposing model knows of it or of what it edits.

    Attributes:
        scored: by the model of the law.
        nearest: a sentence that this one edits, scored by the proposing model, if there was one.
        proposing: this one, scored by the proposing model; None until proposals are drawn from it.
    """

    scored: Scored
    nearest: Scored | None
    proposing: Scored | None = None


@dataclass(frozen=True, slots=True)
class GuidedModel:
    """One model's law, another's proposals: q(w | x_<i) is a function of the left context under either.

    The proposing model may know what is to come, by a context that names the keywords, and reads a sentence
    once for each state in which a chain stands.

    Attributes:
        law: whose log-probs are sampled.
        guide: from whose rows proposals are drawn.
    """

    law: LanguageModel[Any]
    guide: LanguageModel[Any]

    async def score(self, sentences: Sequence[tuple[int, ...]], bases: Sequence[Doubly | None]) -> list[Doubly]:
        """See :meth:`samplers.language.LanguageModel.score`."""
        scored = await self.law.score(sentences, [None if base is None else base.scored for base in bases])
        return [
            Doubly(one, None if base is None else base.proposing or base.nearest)
            for one, base in zip(scored, bases, strict=True)
        ]

    async def propose(self, scored: Sequence[Doubly], queries: Sequence[ProposalQuery]) -> Sequence[ProposalReply]:
        """See :meth:`samplers.language.LanguageModel.propose`."""
        unread = list(dict.fromkeys(one for one in scored if one.proposing is None))
        if unread:
            read = await self.guide.score([one.tokens for one in unread], [one.nearest for one in unread])
            for one, proposing in zip(unread, read, strict=True):
                one.proposing, one.nearest = proposing, None
        return await self.guide.propose([one.proposing for one in scored], queries)


async def construct_each(
    source: KeywordBlocks | State,
    target: Target,
    models: Sequence[LanguageModel[Any]],
    rngs: Sequence[np.random.Generator],
    *,
    drafts: int = 1,
    smc: SequentialMonteCarlo | None = None,
    seed: int = 0,
) -> list[State]:
    """First states for each chain by its own model: from SMC if asked for, and drafts for chains that get none.

    Args:
        source, target, models, rngs, drafts: as :func:`samplers.first_states.construct`, a model for each chain.
        smc: whose sentences chains begin with (:func:`samplers.sequential_starts.likeliest`); models that differ
            share its particles.
        seed: of the particles.

    Raises:
        InfeasibleError: see :func:`samplers.first_states.construct`.
    """
    groups = _places([id(model) for model in models])

    async def of_group(places: Sequence[int]) -> list[State]:
        model = models[places[0]]
        found: list[State] = []
        if smc is not None:
            own = replace(smc, particles=max(LEAST_PARTICLES, smc.particles // len(groups)))
            found = await likeliest(own, model, seed, len(places))
        lacking = [rngs[place] for place in places[len(found) :]]
        return found + (await construct(source, target, model, lacking, drafts=drafts) if lacking else [])

    drawn = await asyncio.gather(*map(of_group, groups.values()))
    found = {
        place: state
        for places, states in zip(groups.values(), drawn, strict=True)
        for place, state in zip(places, states, strict=True)
    }
    return [found[place] for place in range(len(models))]


def _places(routes: Sequence[int]) -> dict[int, list[int]]:
    """The places of each route, routes in the order of their first."""
    places: dict[int, list[int]] = {}
    for place, route in enumerate(routes):
        places.setdefault(route, []).append(place)
    return places
