"""Sequential Monte Carlo over keywords: beginnings that have placed equally many are weighed, and the best kept."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, replace
from itertools import chain
from math import log
from typing import Any

import numpy as np

from samplers.first_states import KeywordBlocks
from samplers.kernels.base import Chain, Info, Position
from samplers.language import LanguageModel
from samplers.outcome import Outcome
from samplers.run import Step, generator, generators
from samplers.segments import Particle, Segments
from samplers.target import Target
from samplers.weights import chosen, effective_size, log_sum, optimal, split

DISTINCT = 0.75
"""Share of the particles that may differ between stages; the rest are further copies of the heaviest."""


@dataclass(frozen=True, slots=True)
class SequentialMonteCarlo:
    """Weighted sentences of pi_beta, and an unbiased estimate of Z = sum_x pi_beta(x).

    Each stage adds a keyword to every particle, the last the closing token, in several ways, each with a
    weight (:class:`~samplers.segments.Segments`). The ways of all particles are one population: equal ones are one,
    with the sum of their weights; the most likely of them are kept by optimal resampling
    (:func:`~samplers.weights.optimal`), and the heaviest go on as several copies (:func:`~samplers.weights.split`).
    Without that (``resamples`` false) each particle goes one of its own ways, drawn by weight: importance sampling.
    For a function f, the sum of w f divided by that of w tends to its mean under the target; that of w alone, divided
    by the number of particles, has mean Z.

    A keyword's twist is its log-density at the very start of a sentence, known before anything is drawn, so that Z
    stays unbiased.

    Sources: Doucet, de Freitas and Gordon, Sequential Monte Carlo Methods in Practice (2001); Lew et al., Sequential
    Monte Carlo steering of large language models (2023); twists: Zhao et al., Probabilistic inference in language
    models via twisted sequential Monte Carlo (ICML 2024).

    Attributes:
        target: the law; states of more than ``max_tokens`` tokens are left out.
        blocks: the keywords.
        max_tokens: most tokens of a sentence, the closing one included.
        particles: how many, >= 1.
        beta: inverse temperature.
        resamples: whether the particles are one population.
    """

    target: Target
    blocks: KeywordBlocks
    max_tokens: int
    particles: int
    beta: float = 1.0
    resamples: bool = True

    @property
    def last_step(self) -> int:
        """One for each keyword, and one to the end."""
        return len(self.blocks.forms) + 1

    async def run(self, model: LanguageModel[Any], seed: int) -> AsyncGenerator[Step]:
        """Yield the population after each stage; after the last it is of whole sentences."""
        rngs, resampling = generators(seed, self.particles), generator(seed, self.particles)
        twist = await twists(self.target, self.blocks, model, self.beta)
        segments = Segments(self.target, self.blocks, self.max_tokens, self.beta, twist)
        missing = frozenset(range(len(self.blocks.forms)))
        particles = [Particle((), (), missing, None, sum(twist)) for _ in rngs]
        resampled = 0
        yield Step(0, [], Outcome(drawn=0, kept=0), whole=False)
        for stage in range(1, self.last_step + 1):
            extend = segments.to_end if stage == self.last_step else segments.to_keyword
            ways = await extend(particles, model, rngs[: len(particles)])
            if self.resamples:
                particles = merged(chain.from_iterable(ways))
            else:
                rngs = [rng for rng, of_one in zip(rngs, ways, strict=True) if of_one]
                particles = [one_of(of_one, rng.random()) for rng, of_one in zip(rngs, filter(None, ways), strict=True)]
            yield self._step(stage, particles, resampled)
            if not particles:
                break
            if self.resamples and stage < self.last_step:
                resampled += len(particles) > self.distinct
                particles = self._resampled(particles, resampling)

    def _resampled(self, particles: list[Particle], rng: np.random.Generator) -> list[Particle]:
        """At most ``distinct`` of them, the heavy ones as several copies, which go on by different ways."""
        kept = optimal([one.log_weight for one in particles], self.distinct, rng.random())
        copied = split([log_weight for _, log_weight in kept], self.particles, rng.random())
        return [replace(particles[kept[place][0]], log_weight=log_weight) for place, log_weight in copied]

    @property
    def distinct(self) -> int:
        """Most particles between stages that differ."""
        return max(1, round(DISTINCT * self.particles))

    def _step(self, stage: int, particles: list[Particle], resampled: int) -> Step:
        log_weights = [one.log_weight for one in particles]
        outcome = Outcome(
            drawn=self.particles,
            kept=len(particles),
            log_weights=log_weights,
            ess=effective_size(log_weights),
            log_z=log_sum(log_weights) - log(self.particles),
            resampled=resampled,
        )
        chains = [
            Chain(Position(one.state, one.scored, one.log_potential), Info(stage))
            for one in particles
            if one.scored is not None
        ]
        return Step(stage, chains, outcome, whole=stage == self.last_step)


async def twists(target: Target, blocks: KeywordBlocks, model: LanguageModel[Any], beta: float) -> list[float]:
    """log of each keyword's density at the start, summed over its forms, in nats; 0 where it can tell nothing."""
    if blocks.ordered or len(blocks.forms) < 2:
        return [0.0] * len(blocks.forms)
    forms = [tuple(form) for forms in blocks.forms for form in forms]
    scored = iter(await model.score(forms, [None] * len(forms)))
    value = target.objective.value
    return [log_sum([beta * value(next(scored).log_probs, closed=False) for form in forms]) for forms in blocks.forms]


def merged(particles: Iterable[Particle]) -> list[Particle]:
    """Equal particles as one, with the sum of their weights."""
    found: dict[tuple[tuple[int, ...], tuple[int, ...]], Particle] = {}
    for one in particles:
        known = found.setdefault((one.tokens, one.owners), one)
        if known is not one:
            known.log_weight = log_sum([known.log_weight, one.log_weight])
    return list(found.values())


def one_of(ways: list[Particle], uniform: float) -> Particle:
    """One of the ways of a particle, drawn by weight, with the weight of all."""
    log_weights = [one.log_weight for one in ways]
    return replace(ways[chosen(log_weights, uniform)], log_weight=log_sum(log_weights))
