"""Importance sampling and sequential Monte Carlo as a request may choose them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from pydantic import Field

from app.settings.settings import Limits
from app.tasks.limits import Bound
from app.tasks.sampling.kernels import SCORES_PER_PARTICLE, Beta
from app.tasks.sampling.kinds.draws import DrawOptions, Draws, blocks_of
from app.tasks.sampling.objective import ObjectiveOptions
from app.tasks.sampling.problem import SamplingProblem
from samplers.smc import SequentialMonteCarlo


class WeightedOptions(ObjectiveOptions, DrawOptions):
    """Options of samplers whose sentences have weights.

    Attributes:
        resamples: whether the particles are one population, of which the best are kept.
    """

    resamples: ClassVar[bool] = False

    particles: int = Field(
        default=64, ge=1, description="importance, smc: weighted sentences that are drawn side by side"
    )
    beta: Beta = Field(default=1.0, description="inverse temperature; 1 samples the model's own law")

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
            resamples=self.resamples,
        )


class ImportanceOptions(WeightedOptions):
    """Importance sampling: sentences written around the keywords, each with the weight that makes up for it."""

    kind: Literal["importance"]


class SmcOptions(WeightedOptions):
    """Sequential Monte Carlo: as importance sampling, with the likeliest beginnings kept after each keyword."""

    resamples: ClassVar[bool] = True

    kind: Literal["smc"]
