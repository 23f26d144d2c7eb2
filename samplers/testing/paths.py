"""Enumeration of all that a move can propose, with the probability of each way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import exp, prod
from typing import Any, NamedTuple, TypeVar

from samplers.language import LanguageModel
from samplers.moves.base import Draft, Move, MoveWeights, Proposal, Round
from samplers.state import State
from samplers.testing.toy import ToyLanguage

R = TypeVar("R")


class Path(NamedTuple):
    """One way to propose a state.

    Attributes:
        state: x'.
        probability: of this way, given that the move is tried.
        log_q_ratio: the move's own, in nats.
    """

    state: State
    probability: float
    log_q_ratio: float


@dataclass
class Choices:
    """Stands in for a generator: each discrete choice takes the branch that ``script`` names, the first beyond it.

    Attributes:
        script: branch numbers of the choices to come.
        branches: for each choice made the branch taken and the probabilities of all.
        uniforms: what ``random`` gave, to be found again in a query.
    """

    script: Sequence[int]
    branches: list[tuple[int, list[float]]] = field(default_factory=list)
    uniforms: list[float] = field(default_factory=list)

    @property
    def probability(self) -> float:
        """Of the branches taken."""
        return prod(chances[taken] for taken, chances in self.branches)

    def integers(self, low: int, high: int | None = None) -> int:
        """As ``numpy.random.Generator.integers``, for one number."""
        first, stop = (0, low) if high is None else (low, high)
        return first + self._branch([1 / (stop - first)] * (stop - first))

    def choice(
        self, a: int | Sequence[Any], size: int | None = None, replace: bool = True, p: Sequence[float] | None = None
    ) -> Any:
        """As ``numpy.random.Generator.choice``; with probabilities for one item alone."""
        items = list(range(a)) if isinstance(a, int) else list(a)
        if size is None:
            return items[self._branch([1 / len(items)] * len(items) if p is None else list(p))]
        if p is not None:
            raise NotImplementedError("choices of several items with probabilities are not enumerated")
        drawn = []
        for _ in range(size):
            at = self._branch([1 / len(items)] * len(items))
            drawn.append(items[at] if replace else items.pop(at))
        return drawn

    def random(self) -> float:
        """A number to hand on as a query's ``uniform``."""
        self.uniforms.append(float("0.5"))
        return self.uniforms[-1]

    def _branch(self, chances: list[float]) -> int:
        made = len(self.branches)
        taken = self.script[made] if made < len(self.script) else 0
        self.branches.append((taken, chances))
        return taken


def every_choice(function: Callable[[Any], R]) -> Iterator[tuple[R, Choices]]:
    """Results of a function of a generator under all its discrete choices."""
    script: list[int] | None = []
    while script is not None:
        choices = Choices(script)
        yield function(choices), choices
        script = next(
            (
                [*(branch for branch, _ in choices.branches[:depth]), taken + 1]
                for depth, (taken, chances) in reversed(list(enumerate(choices.branches)))
                if taken + 1 < len(chances)
            ),
            None,
        )


async def paths(
    move: Move, state: State, weights: MoveWeights, model: ToyLanguage, sharpness: float = 1.0
) -> list[Path]:
    """All ways in which a move proposes from a state; their probabilities sum to 1, or less if it may not apply.

    Raises:
        ValueError: the move uses a random number otherwise than as the uniform of one query.
    """
    found: list[Path] = []
    for draft, choices in every_choice(lambda rng: move.draft(state, rng, weights, sharpness)):
        ways = [] if draft is None else await _ways(draft.opened(), state, model, ())
        used = [uniform for way in ways for uniform in way.uniforms]
        twice = any(len(set(map(id, way.uniforms))) < len(way.uniforms) for way in ways)
        if twice or (draft is not None and set(map(id, used)) != set(map(id, choices.uniforms))):
            raise ValueError(
                f"{move.name} calls rng.random() otherwise than for a query's uniform, which cannot be enumerated: "
                "choose with rng.integers or rng.choice"
            )
        found += [
            Path(way.proposal.state, choices.probability * exp(way.log_q), way.proposal.log_q_ratio) for way in ways
        ]
    return found


class _Way(NamedTuple):
    """A proposal, log of the probability of the tokens drawn for it, and the uniforms that drew them."""

    proposal: Proposal
    log_q: float
    uniforms: tuple[float, ...]


async def _ways(one: Round, state: State, model: ToyLanguage, uniforms: tuple[float, ...]) -> list[_Way]:
    """All that a round may come to."""
    (scored,) = await model.score([one.text or state.tokens], [None])
    replies = await model.propose([scored] * len(one.queries), one.queries)
    drawing = [i for i, query in enumerate(one.queries) if query.uniform is not None]
    branches = [(replies, 0.0)]
    if drawing:
        (i,) = drawing
        query = one.queries[i]
        uniforms = (*uniforms, *([] if query.uniform is None else [query.uniform]))
        branches = [
            ([*replies[:i], replace(replies[i], token=token, log_q=log_q), *replies[i + 1 :]], log_q)
            for token, log_q in model.distribution(scored.tokens, query).items()
        ]
    found: list[_Way] = []
    for answers, log_q in branches:
        after = one.finish(answers)
        if isinstance(after, Round):
            found += [way._replace(log_q=way.log_q + log_q) for way in await _ways(after, state, model, uniforms)]
        else:
            found.append(_Way(after, log_q, uniforms))
    return found


async def proposed(draft: Draft | Round, state: State, model: LanguageModel[Any]) -> Proposal:
    """What a draft comes to, asked round by round."""
    after: Proposal | Round = draft.opened()
    while isinstance(after, Round):
        (scored,) = await model.score([after.text or state.tokens], [None])
        after = after.finish(await model.propose([scored] * len(after.queries), after.queries))
    return after
