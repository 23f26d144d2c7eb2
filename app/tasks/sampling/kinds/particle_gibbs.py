"""Particle Gibbs as a request may choose it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from pydantic import Field

from app.tasks.sampling.kernels import Beta, Drafts, MetropolisOptions
from app.tasks.sampling.kinds.draws import blocks_of
from app.tasks.sampling.moves import Moves
from app.tasks.sampling.problem import SamplingProblem
from app.web.codes import Code
from app.web.problems import Fault, invalid
from samplers import schedules
from samplers.first_states import KeywordBlocks
from samplers.kernels.base import Kernel
from samplers.kernels.particle_gibbs import ParticleGibbs
from samplers.moves.base import Move

PARTICLES_PER_CHAIN = 3
"""Particles of a population for each chain, unless told otherwise."""


class ParticleGibbsOptions(MetropolisOptions):
    """Particle Gibbs: chains of Metropolis-Hastings whose sentences are drawn anew together, every few steps."""

    kind: Literal["particle_gibbs"]
    chains: int = Field(default=32, ge=1, description="chains that run side by side and share each population")
    steps: int = Field(default=40, ge=0, description="steps of each chain")
    beta: Beta = Field(default=1.0, description="inverse temperature; 1 samples the model's own law")
    drafts: Drafts = Field(default=1, description="first states that each chain draws to start from the best")
    particles: int | None = Field(
        default=None,
        ge=2,
        description="particle_gibbs: sentences of a population, those of the chains among them; if left out, "
        f"{PARTICLES_PER_CHAIN} for each chain",
    )
    renew_every: int = Field(default=5, ge=1, description="particle_gibbs: steps between populations")
    moves: Moves = Field(default=Moves(replace=0.1, insert=0.05, delete=0.05, redraw=0.8))

    @property
    def population(self) -> int:
        """Particles of a population."""
        return PARTICLES_PER_CHAIN * self.chains if self.particles is None else self.particles

    def betas(self) -> schedules.Schedule:
        """See :meth:`MetropolisOptions.betas`."""
        return schedules.constant(self.beta)

    def faults(self) -> Iterator[Fault]:
        """See :meth:`SamplerOptions.faults`."""
        if self.population <= self.chains:
            yield Fault(
                field="sampler.particles",
                code=Code.CONTRADICTORY,
                message=f"{self.population} particles for {self.chains} chains leave none to draw",
                remedy=f"give more particles than chains, such as {PARTICLES_PER_CHAIN * self.chains}, or leave it out",
            )

    @property
    def grown(self) -> int:
        """See :meth:`SamplerOptions.grown`."""
        return self.steps // self.renew_every * self.population

    @property
    def sharing(self) -> int:
        """See :meth:`SamplerOptions.sharing`: all, since they share their populations."""
        return self.chains

    def kernel(
        self, problem: SamplingProblem, moves: Sequence[Move], weights: dict[str, float], running: Callable[[], int]
    ) -> Kernel:
        """See :meth:`SamplerOptions.kernel`.

        Raises:
            ProblemError: 422, sentences are laid out by more than keywords.
        """
        source = problem.source
        if not isinstance(source, KeywordBlocks) or source.is_laid_out:
            raise invalid(
                "sampler.kind",
                Code.CONTRADICTORY,
                "particle_gibbs grows sentences keyword by keyword, and here more than keywords lays them out (an "
                "acrostic, a pattern, a word list or phrases counted)",
                "take metropolis or tempering, or leave that out",
            )
        return ParticleGibbs(
            super().kernel(problem, moves, weights, running),
            problem.target,
            blocks_of(problem),
            problem.max_tokens,
            self.population,
            self.beta,
            self.renew_every,
            self.chains,
        )
