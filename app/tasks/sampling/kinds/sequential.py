"""Importance sampling and sequential Monte Carlo as a request may choose them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, FiniteFloat

from app.settings.settings import Limits
from app.tasks.limits import Bound
from app.tasks.sampling.kernels import Beta, Reward
from app.tasks.sampling.kinds.draws import DrawOptions, Draws, blocks_of
from app.tasks.sampling.problem import SamplingProblem
from samplers.smc import SequentialMonteCarlo

SCORES_PER_PARTICLE = 20
"""Beginnings scored for each, roughly: at five places for each of a few keywords."""


class WeightedOptions(DrawOptions):
    """Options of samplers whose sentences have weights."""

    particles: int = Field(
        default=64, ge=1, description="importance, smc: weighted sentences that are drawn side by side"
    )
    beta: Beta = Field(default=1.0, description="inverse temperature; 1 samples the model's own law")
    length_reward: Reward = Field(default=0.0, description="nats added to the log-density for every token")

    def bounds(self, limits: Limits) -> Sequence[Bound]:
        """See :meth:`DrawOptions.bounds`."""
        return [Bound("sampler.particles", self.particles, limits.max_particles)]

    @property
    def expected_scores(self) -> int:
        """See :meth:`DrawOptions.expected_scores`."""
        return self.particles * SCORES_PER_PARTICLE

    def draws_of(self, problem: SamplingProblem, samples: int) -> Draws:
        """See :meth:`DrawOptions.draws_of`."""
        return SequentialMonteCarlo(
            problem.target,
            blocks_of(problem),
            problem.max_tokens,
            self.particles,
            beta=self.beta,
            threshold=self.least_size,
        )

    @property
    @abstractmethod
    def least_size(self) -> float:
        """Effective share of the particles below which they are drawn by weight."""


class ImportanceOptions(WeightedOptions):
    """Importance sampling: sentences written around the keywords, each with the weight that makes up for it."""

    kind: Literal["importance"]

    @property
    def least_size(self) -> float:
        """See :meth:`WeightedOptions.least_size`: never."""
        return 0.0


class SmcOptions(WeightedOptions):
    """Sequential Monte Carlo: as importance sampling, with particles drawn by weight after each keyword."""

    kind: Literal["smc"]
    threshold: Annotated[FiniteFloat, Field(ge=0, le=1)] = Field(
        default=0.5,
        description="smc: particles are drawn by weight where their effective number falls below this share; "
        "0 never does, 1 always does",
    )

    @property
    def least_size(self) -> float:
        """See :meth:`WeightedOptions.least_size`."""
        return self.threshold
