"""Segments: free tokens and the keyword, or the closing token, that ends them, drawn with a weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, log
from typing import Any

import numpy as np

from samplers.first_states import KeywordBlocks
from samplers.labellings import eligible, free_next, least_tokens
from samplers.language import Alphabet, LanguageModel, ProposalQuery, Scored
from samplers.state import END, FREE, State
from samplers.target import Target
from samplers.weights import chosen, log_sum


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
    """

    tokens: tuple[int, ...]
    owners: tuple[int, ...]
    missing: frozenset[int]
    scored: Scored | None
    log_weight: float
    log_potential: float = 0.0

    @property
    def state(self) -> State:
        """The sentence, or its beginning, which has no closing token."""
        return State(self.tokens, self.owners)


@dataclass(slots=True)
class _Cut:
    """One way to end a segment."""

    particle: Particle
    log_weight: float


@dataclass(slots=True)
class _Segment:
    """A segment on its way.

    Attributes:
        particle: before it.
        rng: the particle's generator.
        free: free tokens drawn.
        base: a scored text that begins with the particle's tokens and the free ones, and goes on.
        log_drawn: log-probability of drawing so many tokens, and these, in nats.
        cuts: ways to end it, so far.
    """

    particle: Particle
    rng: np.random.Generator
    base: Scored | None
    free: tuple[int, ...] = ()
    log_drawn: float = 0.0
    cuts: list[_Cut] = field(default_factory=list)

    @property
    def tokens(self) -> tuple[int, ...]:
        return (*self.particle.tokens, *self.free)

    @property
    def owners(self) -> tuple[int, ...]:
        return (*self.particle.owners, *[FREE] * len(self.free))


@dataclass(frozen=True, slots=True)
class Segments:
    """Draws segments with weights, all particles in one batch.

    Free tokens w_1 ... w_J are drawn from the model's own law, sharpened to beta, and J such that P(J >= j) = 1 up to
    ``at_once`` and ``go_on`` times the last from there on. After each of them the segment may end, with any block c
    that may come next. Of all these ways, one is chosen with probability proportional to

        v(j, c) = gamma(w_1 ... w_j c) / (q(w_1 ... w_j) P(J >= j)),

    gamma the factor by which the target's density grows, and the weight is multiplied by the sum of all v. Since the
    mean of the sum is that of gamma over all segments of any length, no segment is left out, and the weight is the
    proper one although what was drawn beyond the cut is thrown away. For the last segment c is a closing token drawn
    by the model, over whose probability v is divided, and gamma is 0 where a constraint is violated.

    Source of proper weights: Liu, Monte Carlo Strategies in Scientific Computing (2001), section 2.5.4; for language
    models Loula et al., Syntactic and semantic control of large language models via sequential Monte Carlo (ICLR 2025).

    Attributes:
        target: the law.
        blocks: the keywords.
        max_tokens: most tokens of a sentence, the closing one included.
        beta: inverse temperature.
        twist: for each keyword g, a guess of log gamma of what it will still cost; a beginning has its density times
            exp(sum of g over the keywords that are missing), so that those that did the easy ones first gain nothing.
        at_once: free tokens always drawn.
        go_on: probability to draw one more.
    """

    target: Target
    blocks: KeywordBlocks
    max_tokens: int
    beta: float
    twist: Sequence[float]
    at_once: int = 3
    go_on: float = 0.7

    async def to_keyword(
        self, particles: Sequence[Particle], model: LanguageModel[Any], rngs: Sequence[np.random.Generator]
    ) -> list[Particle]:
        """Each particle with one keyword more."""
        return await self._extended(particles, model, rngs, self._blocks)

    async def to_end(
        self, particles: Sequence[Particle], model: LanguageModel[Any], rngs: Sequence[np.random.Generator]
    ) -> list[Particle]:
        """Each particle as a whole sentence; it has the keywords."""
        return await self._extended(particles, model, rngs, self._ends)

    async def _extended(
        self,
        particles: Sequence[Particle],
        model: LanguageModel[Any],
        rngs: Sequence[np.random.Generator],
        add_cuts: Any,
    ) -> list[Particle]:
        segments = [_Segment(one, rng, one.scored) for one, rng in zip(particles, rngs, strict=True)]
        growing = [segment for segment in segments if segment.particle.log_weight > -inf]
        while growing:
            await add_cuts(growing, model)
            growing = [segment for segment in growing if self._goes_on(segment)]
            replies = await model.propose(
                [segment.base for segment in growing],
                [
                    ProposalQuery(len(segment.tokens), 0.0, self.beta, uniform=segment.rng.random())
                    for segment in growing
                ],
            )
            for segment, reply in zip(growing, replies, strict=True):
                assert reply.token is not None and reply.log_q is not None
                segment.free = (*segment.free, reply.token)
                segment.log_drawn += reply.log_q
            growing = [segment for segment in growing if not self._hopeless(segment)]
        return [self._chosen(segment) for segment in segments]

    def _goes_on(self, segment: _Segment) -> bool:
        """Whether one more free token is drawn: never where the rest would not fit."""
        if not free_next(self.blocks, segment.particle.missing):
            return False
        if len(segment.tokens) + 1 + least_tokens(self.blocks, segment.particle.missing) + 1 > self.max_tokens:
            return False
        if len(segment.free) < self.at_once:
            return True
        segment.log_drawn += log(self.go_on)
        return segment.rng.random() < self.go_on

    def _hopeless(self, segment: _Segment) -> bool:
        """Whether a constraint rules out every sentence that begins so."""
        beginning = State(segment.tokens, segment.owners)
        text = self.target.decode(segment.tokens)
        return any(constraint.hopeless(beginning, text) for constraint in self.target.constraints)

    async def _blocks(self, segments: Sequence[_Segment], model: LanguageModel[Any]) -> None:
        """Add the cuts at which a keyword comes next."""
        asked = [
            (segment, keyword, tuple(form))
            for segment in segments
            for keyword in eligible(self.blocks, segment.particle.missing)
            for form in self.blocks.forms[keyword]
            if len(segment.tokens) + len(form) + least_tokens(self.blocks, segment.particle.missing - {keyword})
            < self.max_tokens
        ]
        scores = await model.score(
            [(*segment.tokens, *form) for segment, _, form in asked], [segment.base for segment, *_ in asked]
        )
        for (segment, keyword, form), scored in zip(asked, scores, strict=True):
            after = Particle(
                (*segment.tokens, *form),
                (*segment.owners, *[keyword] * len(form)),
                segment.particle.missing - {keyword},
                scored,
                0.0,
            )
            segment.base = scored
            segment.cuts.append(_Cut(after, self._gained(segment, scored) - self.twist[keyword]))

    async def _ends(self, segments: Sequence[_Segment], model: LanguageModel[Any]) -> None:
        """Add the cuts at which the sentence closes."""
        scores = await model.score(
            [(*segment.tokens, self.blocks.end) for segment in segments], [segment.base for segment in segments]
        )
        for segment, scored in zip(segments, scores, strict=True):
            segment.base = scored
        replies = await model.propose(
            scores,
            [
                ProposalQuery(len(segment.tokens), 0.0, self.beta, Alphabet.ENDS, segment.rng.random())
                for segment in segments
            ],
        )
        closed = [
            (segment, state, reply.log_q or 0.0)
            for segment, reply in zip(segments, replies, strict=True)
            if reply.token is not None
            and self.target.admits(state := State((*segment.tokens, reply.token), (*segment.owners, END)))
        ]
        scores = await model.score([state.tokens for _, state, _ in closed], [segment.base for segment, *_ in closed])
        log_potentials = await self.target.log_weights([state for _, state, _ in closed])
        for (segment, state, log_q), scored, phi in zip(closed, scores, log_potentials, strict=True):
            after = Particle(state.tokens, state.owners, frozenset(), scored, 0.0, phi)
            segment.cuts.append(_Cut(after, self._gained(segment, scored) + phi - log_q))

    def _gained(self, segment: _Segment, scored: Scored) -> float:
        """Growth of the heated log-density since the particle, over the probability of what was drawn, in nats."""
        fresh = scored.log_probs[len(segment.particle.tokens) :]
        return self.beta * (float(fresh.sum()) + self.target.length_reward * len(fresh)) - segment.log_drawn

    def _chosen(self, segment: _Segment) -> Particle:
        """The particle after one of the cuts, or without weight if there is none."""
        logs = [cut.log_weight for cut in segment.cuts]
        total = log_sum(logs)
        if total == -inf:
            segment.particle.log_weight = -inf
            return segment.particle
        after = segment.cuts[chosen(logs, segment.rng.random())].particle
        after.log_weight = segment.particle.log_weight + total
        return after
