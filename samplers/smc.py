"""Sequential Monte Carlo over keywords: particles that have placed equally many are weighed, and drawn by weight."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from samplers.first_states import KeywordBlocks
from samplers.kernels.base import Chain, Info, Position
from samplers.language import LanguageModel
from samplers.outcome import Outcome
from samplers.run import Step, generator, generators
from samplers.segments import Particle, Segments
from samplers.target import Target
from samplers.weights import effective_size, log_mean, log_sum, systematic


@dataclass(frozen=True, slots=True)
class SequentialMonteCarlo:
    """Weighted sentences of pi_beta, and an unbiased estimate of Z = sum_x pi_beta(x).

    Each stage adds a keyword to every particle, the last the closing token
    (:class:`~samplers.segments.Segments`). Between stages particles are drawn by their weights, wherever
    the effective sample size falls below ``threshold`` times their number; each then has the mean weight. Without
    that (threshold 0) this is importance sampling. For a function f, the sum of w f divided by that of w tends to its
    mean under the target; that of w alone, divided by the number of particles, has mean Z.

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
        threshold: least effective sample size as a share of the particles.
    """

    target: Target
    blocks: KeywordBlocks
    max_tokens: int
    particles: int
    beta: float = 1.0
    threshold: float = 0.5

    @property
    def last_step(self) -> int:
        """One for each keyword, and one to the end."""
        return len(self.blocks.forms) + 1

    async def run(self, model: LanguageModel[Any], seed: int) -> AsyncGenerator[Step]:
        """Yield the particles after each stage; those of positive weight after the last are whole sentences."""
        rngs, resampling = generators(seed, self.particles), generator(seed, self.particles)
        twist = await self._twist(model)
        segments = Segments(self.target, self.blocks, self.max_tokens, self.beta, twist)
        missing = frozenset(range(len(self.blocks.forms)))
        particles = [Particle((), (), missing, None, sum(twist)) for _ in rngs]
        log_z, resampled = 0.0, 0
        yield Step(0, [], Outcome(drawn=0, kept=0), whole=False)
        for stage in range(1, self.last_step + 1):
            last = stage == self.last_step
            extend = segments.to_end if last else segments.to_keyword
            particles = await extend(particles, model, rngs)
            log_weights = [one.log_weight for one in particles]
            total = log_z + log_mean(log_weights)
            yield self._step(stage, particles, total, resampled)
            if last or log_sum(log_weights) == -inf:
                break
            if effective_size(log_weights) < self.threshold * self.particles:
                log_z, resampled = total, resampled + 1
                drawn = systematic(log_weights, self.particles, resampling.random())
                particles = [replace(particles[i], log_weight=0.0) for i in drawn]

    def _step(self, stage: int, particles: list[Particle], log_z: float, resampled: int) -> Step:
        alive = [one for one in particles if one.log_weight > -inf]
        log_weights = [one.log_weight for one in alive]
        outcome = Outcome(
            drawn=len(particles),
            kept=len(alive),
            log_weights=log_weights,
            ess=effective_size(log_weights),
            log_z=log_z,
            resampled=resampled,
        )
        chains = [
            Chain(Position(one.state, one.scored, one.log_potential), Info(stage))
            for one in alive
            if one.scored is not None
        ]
        return Step(stage, chains, outcome, whole=stage == self.last_step)

    async def _twist(self, model: LanguageModel[Any]) -> list[float]:
        """log of the keyword's density at the start, summed over its forms, in nats; 0 where it can tell nothing."""
        if self.blocks.ordered or len(self.blocks.forms) < 2:
            return [0.0] * len(self.blocks.forms)
        forms = [tuple(form) for forms in self.blocks.forms for form in forms]
        scored = iter(await model.score(forms, [None] * len(forms)))
        return [
            log_sum(
                [
                    self.beta * (float(next(scored).log_probs.sum()) + self.target.length_reward * len(form))
                    for form in forms
                ]
            )
            for forms in self.blocks.forms
        ]
