"""Replica exchange as a request may choose it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from pydantic import Field

from app.tasks.sampling.kernels import Beta, Drafts, MetropolisOptions
from app.tasks.sampling.problem import SamplingProblem
from app.web.codes import Code
from app.web.problems import Fault
from samplers.kernels.base import Kernel
from samplers.kernels.tempering import Tempering, rungs
from samplers.moves.base import Move
from samplers.schedules import Schedule


class TemperingOptions(MetropolisOptions):
    """Replica exchange: Metropolis-Hastings at several betas, whose chains exchange their sentences now and then."""

    kind: Literal["tempering"]
    ladder: list[Beta] = Field(
        default=[1.0, 0.8, 0.6, 0.45],
        min_length=2,
        max_length=64,
        description="tempering: betas of the chains, in turns; neighbours exchange their sentences, and the first "
        "beta's are the samples",
    )
    exchange_every: int = Field(default=5, ge=1, description="tempering: steps between exchanges")
    drafts: Drafts = Field(default=1, description="first states that each chain draws to start from the best")

    def betas(self) -> Schedule:
        """See :meth:`MetropolisOptions.betas`."""
        return rungs(self.ladder)

    def faults(self) -> Iterator[Fault]:
        """See :meth:`SamplerOptions.faults`."""
        size = len(self.ladder)
        if self.chains % size:
            yield Fault(
                field="sampler.chains",
                code=Code.CONTRADICTORY,
                message=f"{self.chains} chains are no whole number of ladders of {size} betas",
                remedy=f"give a multiple of {size}, such as {-(-self.chains // size) * size}, or another ladder",
            )

    @property
    def sharing(self) -> int:
        """See :meth:`SamplerOptions.sharing`: a ladder, whose scores are exchanged with the sentences."""
        return len(self.ladder)

    def of_target(self, chain: int) -> bool:
        """See :meth:`SamplerOptions.of_target`."""
        return chain % len(self.ladder) == 0

    def kernel(
        self, problem: SamplingProblem, moves: Sequence[Move], weights: dict[str, float], running: Callable[[], int]
    ) -> Kernel:
        """See :meth:`SamplerOptions.kernel`."""
        return Tempering(
            super().kernel(problem, moves, weights, running), problem.target, self.ladder, self.exchange_every
        )
