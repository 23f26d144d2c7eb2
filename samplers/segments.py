"""Segments: free tokens and the keyword, or the closing token, that ends them, drawn with a weight."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from math import inf, log
from typing import Any, NamedTuple, Self

import numpy as np

from samplers.first_states import KeywordBlocks
from samplers.labellings import eligible, free_next, hopeless, least_tokens
from samplers.language import Alphabet, LanguageModel, ProposalQuery, ProposalReply, Scored
from samplers.state import END, FREE, State
from samplers.target import Target


@dataclass(slots=True)
class Particle:
    """The beginning of a sentence, or a whole one, with its weight.

    Attributes:
        tokens: written so far.
        owners: of each token, as in a state.
        missing: keywords that have not been written.
        scored: of the tokens; None for none.
        log_weight: log of the weight, in nats; -inf where no sentence of the support was found.
        log_potential: phi of a whole sentence.
        retained: a sentence that begins so, whose segment is among those drawn; None for none.
    """

    tokens: tuple[int, ...]
    owners: tuple[int, ...]
    missing: frozenset[int]
    scored: Scored | None
    log_weight: float
    log_potential: float = 0.0
    retained: State | None = None

    @property
    def state(self) -> State:
        """The sentence, or its beginning, which has no closing token."""
        return State(self.tokens, self.owners)


@dataclass(slots=True)
class _Segment:
    """A segment on its way.

    Attributes:
        particle: before it.
        rng: the particle's generator.
        base: a scored text that begins with the particle's tokens and the free ones, and goes on.
        given: free tokens of the particle's retained sentence, which stand in place of the first drawn.
        free: free tokens drawn.
        log_drawn: log-probability of drawing so many tokens, and these, in nats.
        ways: to end it.
    """

    particle: Particle
    rng: np.random.Generator
    base: Scored | None
    given: tuple[int, ...] = ()
    free: tuple[int, ...] = ()
    log_drawn: float = 0.0
    ways: list[Particle] = field(default_factory=list)

    @classmethod
    def begun(cls, particle: Particle, rng: np.random.Generator) -> Self:
        """A segment of no free token."""
        given: tuple[int, ...] = ()
        if (whole := particle.retained) is not None:
            start = len(particle.tokens)
            given = tuple(
                token
                for token, _ in takewhile(
                    lambda pair: pair[1] == FREE, zip(whole.tokens[start:], whole.owners[start:], strict=True)
                )
            )
        return cls(particle, rng, particle.scored, given)

    @property
    def tokens(self) -> tuple[int, ...]:
        return (*self.particle.tokens, *self.free)

    @property
    def owners(self) -> tuple[int, ...]:
        return (*self.particle.owners, *[FREE] * len(self.free))


class _Place(NamedTuple):
    """Where a segment may end: it with fewer free tokens."""

    segment: _Segment
    tokens: tuple[int, ...]
    owners: tuple[int, ...]
    base: Scored | None
    log_drawn: float

    @property
    def closing(self) -> tuple[int, ...]:
        """The closing token, if it is given here."""
        whole, at = self.segment.particle.retained, len(self.tokens)
        here = whole is not None and at == len(self.segment.particle.tokens) + len(self.segment.given)
        return whole.tokens[at:] if whole is not None and here else ()


def _answered(reply: ProposalReply, given: Sequence[int]) -> tuple[int | None, float]:
    """The token drawn, or the first given, and log q."""
    if given:
        return given[0], -inf if reply.log_q_present is None else reply.log_q_present
    return reply.token, reply.log_q or 0.0


@dataclass(frozen=True, slots=True)
class Segments:
    """Draws segments with weights, those of all particles in one batch.

    Free tokens w_1 ... w_J are drawn from the model's own law, sharpened to beta, and J as
    :class:`~samplers.first_states.Apart` has it. After each of them the segment may end, with any
    block c that may come next. All these ways are given, each with the particle's weight times

        v(j, c) = gamma(w_1 ... w_j c) / (q(w_1 ... w_j) P(J >= j)),

    gamma the factor by which the target's density grows. Since the mean of their sum is that of gamma over all
    segments of any length, no segment is left out, and the weights are proper although what was drawn beyond a cut is
    thrown away. A particle with a retained sentence draws what it has there, and as many more as would have been drawn
    beyond: the law of what is drawn, given that it begins so. For the last segment c is a closing token drawn by the
    model, over whose probability v is divided, and gamma is 0 where a constraint is violated. Ways that constraints
    rule out, however they go on, are left out.

    Source of proper weights: Liu, Monte Carlo Strategies in Scientific Computing (2001), section 2.5.4; for language
    models Loula et al., Syntactic and semantic control of large language models via sequential Monte Carlo (ICLR 2025).

    Attributes:
        target: the law.
        blocks: the keywords.
        max_tokens: most tokens of a sentence, the closing one included.
        beta: inverse temperature.
        twist: for each keyword g, a guess of log gamma of what it will still cost; a beginning has its density times
            exp(sum of g over the keywords that are missing), so that those that did the easy ones first gain nothing.
    """

    target: Target
    blocks: KeywordBlocks
    max_tokens: int
    beta: float
    twist: Sequence[float]

    async def to_keyword(
        self, particles: Sequence[Particle], model: LanguageModel[Any], rngs: Sequence[np.random.Generator]
    ) -> list[list[Particle]]:
        """The ways of each particle to have one keyword more."""
        return await self._extended(particles, model, rngs, self._blocks)

    async def to_end(
        self, particles: Sequence[Particle], model: LanguageModel[Any], rngs: Sequence[np.random.Generator]
    ) -> list[list[Particle]]:
        """The ways of each particle, which has the keywords, to be a whole sentence."""
        return await self._extended(particles, model, rngs, self._ends)

    async def _extended(
        self,
        particles: Sequence[Particle],
        model: LanguageModel[Any],
        rngs: Sequence[np.random.Generator],
        end: Callable[[Sequence[_Place], LanguageModel[Any]], Awaitable[None]],
    ) -> list[list[Particle]]:
        segments = [_Segment.begun(one, rng) for one, rng in zip(particles, rngs, strict=True)]
        growing, places = segments, list[_Place]()
        while growing:
            await self._read(growing, model)
            places += [_Place(one, one.tokens, one.owners, one.base, one.log_drawn) for one in growing]
            growing = [segment for segment in growing if self._goes_on(segment)]
            replies = await model.propose(
                [segment.base for segment in growing],
                [
                    self._query(len(segment.tokens), segment.given[len(segment.free) :], segment.rng)
                    for segment in growing
                ],
            )
            for segment, reply in zip(growing, replies, strict=True):
                token, log_q = _answered(reply, segment.given[len(segment.free) :])
                assert token is not None
                segment.free = (*segment.free, token)
                segment.log_drawn += log_q
            growing = [
                one
                for one in growing
                if len(one.free) <= len(one.given)
                or not hopeless(self.target, self.blocks, one.tokens, one.owners, one.particle.missing)
            ]
        # All places together: what comes before them has been read.
        await end(places, model)
        return [segment.ways for segment in segments]

    async def _read(self, segments: Sequence[_Segment], model: LanguageModel[Any]) -> None:
        """Read the free tokens drawn."""
        scores = await model.score(
            [(*segment.tokens, self.blocks.end) for segment in segments], [segment.base for segment in segments]
        )
        for segment, scored in zip(segments, scores, strict=True):
            segment.base = scored

    def _goes_on(self, segment: _Segment) -> bool:
        """Whether one more free token is drawn: never where the rest would not fit."""
        if not free_next(self.blocks, segment.particle.missing):
            return False
        if len(segment.tokens) + 1 + least_tokens(self.blocks, segment.particle.missing) + 1 > self.max_tokens:
            return False
        sure, more = self.blocks.apart
        if len(segment.free) < sure:
            return True
        segment.log_drawn += log(more)
        return len(segment.free) < len(segment.given) or segment.rng.random() < more

    def _query(
        self, at: int, given: Sequence[int], rng: np.random.Generator, alphabet: Alphabet = Alphabet.INTERIOR
    ) -> ProposalQuery:
        """About the token at a place: the first of those given, or one to be drawn."""
        if given:
            return ProposalQuery(at, 0.0, self.beta, alphabet, present=given[0])
        return ProposalQuery(at, 0.0, self.beta, alphabet, rng.random())

    async def _blocks(self, places: Sequence[_Place], model: LanguageModel[Any]) -> None:
        """Add the ways in which a keyword comes next."""
        asked = [
            (place, (*place.tokens, *form), (*place.owners, *[keyword] * len(form)), keyword, missing - {keyword})
            for place in places
            for missing in [place.segment.particle.missing]
            for keyword in eligible(self.blocks, missing)
            for form in self.blocks.forms[keyword]
            if len(place.tokens) + len(form) + least_tokens(self.blocks, missing - {keyword}) < self.max_tokens
        ]
        asked = [one for one in asked if not hopeless(self.target, self.blocks, one[1], one[2], one[4])]
        scores = await model.score([tokens for _, tokens, *_ in asked], [place.base for place, *_ in asked])
        for (place, tokens, owners, keyword, missing), scored in zip(asked, scores, strict=True):
            self._add(place, tokens, owners, missing, scored, -self.twist[keyword])

    async def _ends(self, places: Sequence[_Place], model: LanguageModel[Any]) -> None:
        """Add the ways in which the sentence closes."""
        given = [place.closing for place in places]
        replies = await model.propose(
            [place.base for place in places],
            [
                self._query(len(place.tokens), token, place.segment.rng, Alphabet.ENDS)
                for place, token in zip(places, given, strict=True)
            ],
        )
        answers = [_answered(reply, token) for reply, token in zip(replies, given, strict=True)]
        closed = [
            (place, state, log_q)
            for place, (token, log_q) in zip(places, answers, strict=True)
            if token is not None and self.target.admits(state := State((*place.tokens, token), (*place.owners, END)))
        ]
        scores = await model.score([state.tokens for _, state, _ in closed], [place.base for place, *_ in closed])
        log_potentials = await self.target.log_weights([state for _, state, _ in closed])
        for (place, state, log_q), scored, phi in zip(closed, scores, log_potentials, strict=True):
            self._add(place, state.tokens, state.owners, frozenset(), scored, phi - log_q, phi)

    def _add(
        self,
        place: _Place,
        tokens: tuple[int, ...],
        owners: tuple[int, ...],
        missing: frozenset[int],
        scored: Scored,
        log_factor: float,
        log_potential: float = 0.0,
    ) -> None:
        """Add a way of positive weight; ``log_factor`` is what the weight has besides the model's terms."""
        log_weight = place.segment.particle.log_weight + self._gained(place, scored, owners[-1] == END) + log_factor
        if log_weight > -inf:
            whole = place.segment.particle.retained
            own = whole is not None and whole.begins(tokens, owners)
            place.segment.ways.append(
                Particle(tokens, owners, missing, scored, log_weight, log_potential, whole if own else None)
            )

    def _gained(self, place: _Place, scored: Scored, closed: bool) -> float:
        """Growth of the heated log-density since the particle, over the probability of what was drawn, in nats."""
        start = len(place.segment.particle.tokens)
        value = self.target.objective.value(scored.log_probs[start:], closed)
        return self.beta * value - place.log_drawn
