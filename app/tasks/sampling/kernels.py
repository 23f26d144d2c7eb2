"""Kernels that a request may choose: the options of each, beside the law that it builds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, FiniteFloat

from app.tasks.sampling.moves import Moves
from app.web.schemas import Strict, by_kind
from samplers import schedules
from samplers.kernels.base import Chain, Kernel
from samplers.kernels.delayed import DelayedAcceptance
from samplers.kernels.metropolis import MetropolisHastings
from samplers.moves.base import Move
from samplers.target import Target

EXPECTED_MOVES_PER_BATCH = {False: 4.0, True: 8.0}
"""Steps that are prefetched until so many of them are expected to move their chains, in one stage or two: with fewer
the cost of reading the weights is shared by too few, with more too many are drawn in vain."""
MIN_PREFETCHED, MAX_PREFETCHED = 2, 24
"""Steps prefetched for a chain; after an acceptance the rest are thrown away, so with many requests there are few."""

SHARED_DRAFTS, MAX_DRAFTS = 32, 4
"""First states that a request draws unless told otherwise, and that each chain does: many chains are a choice
already."""

Beta = Annotated[FiniteFloat, Field(ge=0, le=1000)]
PositiveBeta = Annotated[FiniteFloat, Field(gt=0, le=1000)]
Reward = Annotated[FiniteFloat, Field(ge=-100, le=100)]
Drafts = Annotated[int, Field(ge=1, le=64)]


class Ramp(Strict):
    """Inverse temperature from `start` to `stop` in equal differences or equal ratios."""

    kind: Literal["linear", "geometric"] = Field(default="linear", description="linear if left out")
    start: PositiveBeta = Field(default=1.0, description="beta of the first step")
    stop: PositiveBeta = Field(default=4.0, description="beta of the last step")


class Listed(Strict):
    """Inverse temperatures as given, stretched evenly over the steps."""

    kind: Literal["listed"]
    betas: list[Beta] = Field(min_length=1, max_length=10_000)


Schedule = Annotated[Ramp | Listed, *by_kind("linear")]


class SamplerOptions(Strict):
    """Options that all kernels share.

    Attributes:
        searches: whether the law changes on the way, so that chains have none to converge to.
    """

    searches: ClassVar[bool] = False

    chains: int = Field(default=8, ge=1, description="chains that run side by side")
    steps: int = Field(default=100, ge=0, description="steps of each chain")
    length_reward: Reward
    drafts: Drafts | None
    delayed: bool = Field(
        default=True,
        description="accept in two stages, the first by the edit and two tokens after it: the same law with fewer "
        "tokens read; a chain accepts somewhat less often",
    )
    moves: Moves = Field(default_factory=Moves)

    @abstractmethod
    def betas(self) -> schedules.Schedule:
        """Inverse temperature by step."""

    def kernel(
        self, target: Target, moves: Sequence[Move], weights: dict[str, float], running: Callable[[], int] = lambda: 1
    ) -> Kernel:
        """The kernel of these options.

        Args:
            target: the law.
            moves: the mix.
            weights: probability of each move by name.
            running: number of requests that use the model now, among which prefetched steps are shared.
        """

        def lookahead(chain: Chain, active: int) -> int:
            moving = EXPECTED_MOVES_PER_BATCH[self.delayed] / (active * max(1, running()))
            return max(MIN_PREFETCHED, min(MAX_PREFETCHED, 1 + round(moving / chain.info.acceptance_rate)))

        kernel = DelayedAcceptance if self.delayed else MetropolisHastings
        return kernel(target, moves, weights, self.betas(), lookahead)

    @property
    def drafts_per_chain(self) -> int:
        """First states that each chain draws to start from the best."""
        return max(1, min(MAX_DRAFTS, SHARED_DRAFTS // self.chains)) if self.drafts is None else self.drafts


class Metropolis(SamplerOptions):
    """Metropolis-Hastings: samples the language model to the power beta under the constraints."""

    kind: Literal["metropolis"]
    beta: Beta = Field(default=1.0, description="inverse temperature; 1 samples the model's own law")
    length_reward: Reward = Field(default=0.0, description="nats added to the log-density for every token")
    drafts: Drafts = Field(default=1, description="first states that each chain draws to start from the best")

    def betas(self) -> schedules.Schedule:
        """See :meth:`SamplerOptions.betas`."""
        return schedules.constant(self.beta)


class Annealing(SamplerOptions):
    """Simulated annealing: searches for the likeliest sentence as beta rises."""

    searches: ClassVar[bool] = True

    kind: Literal["annealing"] = Field(default="annealing", description="annealing if left out")
    schedule: Schedule = Field(default_factory=Ramp)
    length_reward: Reward = Field(
        default=3.0,
        description="nats a token, added to the log-density times beta: tokens that cost less pay, so the "
        "search is for a high log-prob per token rather than for few tokens; 0 searches for the mode",
    )
    drafts: Drafts | None = Field(
        default=None,
        description="first states that each chain draws to start from the best; if left out, the chains share 32, "
        "4 each at most",
    )

    def betas(self) -> schedules.Schedule:
        """See :meth:`SamplerOptions.betas`."""
        schedule = self.schedule
        if isinstance(schedule, Listed):
            return schedules.listed(schedule.betas, self.steps)
        make = schedules.linear if schedule.kind == "linear" else schedules.geometric
        return make(schedule.start, schedule.stop, self.steps)


Sampler = Annotated[Metropolis | Annealing, *by_kind("annealing")]
"""The kernels by their ``kind``: a new one joins this union."""
