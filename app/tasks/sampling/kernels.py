"""Kernels that a request may choose: the options of each, beside the law that it builds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, FiniteFloat

from app.settings.settings import Limits
from app.tasks.limits import Bound
from app.tasks.sampling.moves import Moves
from app.tasks.sampling.objective import SEARCHED, ClosingWeight, ObjectiveOptions, Reward, SurprisalPower
from app.tasks.sampling.problem import SamplingProblem
from app.web.problems import Fault
from app.web.schemas import Strict, by_kind
from samplers import schedules
from samplers.kernels.base import Chain, Kernel
from samplers.kernels.delayed import DelayedAcceptance
from samplers.kernels.metropolis import MetropolisHastings
from samplers.moves.base import Move

EXPECTED_MOVES_PER_BATCH = {False: 4.0, True: 8.0}
"""Steps that are prefetched until so many of them are expected to move their chains, in one stage or two: with fewer
the cost of reading the weights is shared by too few, with more too many are drawn in vain."""
MIN_PREFETCHED, MAX_PREFETCHED = 2, 24
"""Steps prefetched for a chain; after an acceptance the rest are thrown away, so with many requests there are few."""

START_PARTICLES, START_WAYS = 56, 380
"""Particles of `start: smc`, and the most of them times forms of all keywords, unless told otherwise: what reads the
beginnings of many forms takes no longer than what chains from drafts did."""

SCORES_PER_PARTICLE = 20
"""Beginnings scored for each particle, roughly: at five places for each of a few keywords."""

SHARED_DRAFTS, MAX_DRAFTS = 32, 4
"""First states that a request draws unless told otherwise, and that each chain does: many chains are a choice
already."""

Beta = Annotated[FiniteFloat, Field(ge=0, le=1000)]
PositiveBeta = Annotated[FiniteFloat, Field(gt=0, le=1000)]
Drafts = Annotated[int, Field(ge=1, le=64)]
Start = Literal["smc", "drafts"]
_START = (
    "where first states come from: smc, the likeliest of a population of sentences that grows keyword by keyword; "
    "drafts, each written by itself"
)


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


class SamplerOptions(ObjectiveOptions):
    """Options of all samplers that are chains.

    Attributes:
        searches: whether the law changes on the way, so that chains have none to converge to.
    """

    searches: ClassVar[bool] = False

    chains: int = Field(default=8, ge=1, description="chains that run side by side")
    steps: int = Field(default=100, ge=0, description="steps of each chain")
    start: Start = Field(default="drafts", description=_START)
    particles: int | None = Field(
        default=None,
        ge=1,
        description=f"particles of `start: smc`; if left out, {START_PARTICLES}, fewer where the keywords have more "
        f"than {START_WAYS // START_PARTICLES} forms together",
    )
    drafts: Drafts | None
    moves: Moves = Field(default_factory=Moves)

    @abstractmethod
    def kernel(
        self, problem: SamplingProblem, moves: Sequence[Move], weights: dict[str, float], running: Callable[[], int]
    ) -> Kernel:
        """The kernel of these options.

        Args:
            problem: the law.
            moves: the mix.
            weights: probability of each move by name.
            running: number of requests that use the model now, among which prefetched steps are shared.

        Raises:
            ProblemError: 422, it has no kernel with this mix.
        """

    def faults(self) -> Iterator[Fault]:
        """What is wrong with the options together."""
        yield from ()

    @property
    def sharing(self) -> int:
        """Chains side by side that must have one context."""
        return 1

    def of_target(self, chain: int) -> bool:
        """Whether a chain samples the law asked for, not one beside it."""
        return True

    def bounds(self, limits: Limits) -> Sequence[Bound]:
        """Bounds of the options."""
        return [
            Bound("sampler.chains", self.chains, limits.max_chains),
            Bound("sampler.steps", self.steps, limits.max_steps),
            Bound("sampler.particles", self.particles, limits.max_particles),
        ]

    @property
    def grown(self) -> int:
        """Particles that grow while the chains run, over all populations."""
        return 0

    @property
    def expected_scores(self) -> int:
        """Sentences to be scored, by which time is estimated."""
        started = self.particles or START_PARTICLES if self.start == "smc" else 0
        return (self.steps + 1) * self.chains + (started + self.grown) * SCORES_PER_PARTICLE

    @property
    def drafts_per_chain(self) -> int:
        """First states that each chain draws to start from the best."""
        return max(1, min(MAX_DRAFTS, SHARED_DRAFTS // self.chains)) if self.drafts is None else self.drafts


class MetropolisOptions(SamplerOptions):
    """Options of chains that accept or reject."""

    delayed: bool = Field(
        default=True,
        description="accept in two stages, the first by the edit and two tokens after it: the same law with fewer "
        "tokens read; a chain accepts somewhat less often",
    )

    @abstractmethod
    def betas(self) -> schedules.Schedule:
        """Inverse temperature by chain and step."""

    def kernel(
        self, problem: SamplingProblem, moves: Sequence[Move], weights: dict[str, float], running: Callable[[], int]
    ) -> Kernel:
        """See :meth:`SamplerOptions.kernel`."""

        def lookahead(chain: Chain, active: int) -> int:
            moving = EXPECTED_MOVES_PER_BATCH[self.delayed] / (active * max(1, running()))
            return max(MIN_PREFETCHED, min(MAX_PREFETCHED, 1 + round(moving / chain.info.acceptance_rate)))

        kernel = DelayedAcceptance if self.delayed else MetropolisHastings
        return kernel(problem.target, moves, weights, self.betas(), lookahead)


class Metropolis(MetropolisOptions):
    """Metropolis-Hastings: samples the language model to the power beta under the constraints."""

    kind: Literal["metropolis"]
    beta: Beta = Field(default=1.0, description="inverse temperature; 1 samples the model's own law")
    drafts: Drafts = Field(default=1, description="first states that each chain draws to start from the best")

    def betas(self) -> schedules.Schedule:
        """See :meth:`MetropolisOptions.betas`."""
        return schedules.constant(self.beta)


class Annealing(MetropolisOptions):
    """Simulated annealing: searches for the likeliest sentence as beta rises."""

    searches: ClassVar[bool] = True

    kind: Literal["annealing"] = Field(default="annealing", description="annealing if left out")
    steps: int = Field(default=30, ge=0, description="steps of each chain")
    start: Start = Field(default="smc", description=_START)
    schedule: Schedule = Field(default_factory=Ramp)
    length_reward: Reward = SEARCHED.length_reward
    surprisal_power: SurprisalPower = SEARCHED.surprisal_power
    closing_weight: ClosingWeight = SEARCHED.closing_weight
    drafts: Drafts | None = Field(
        default=None,
        description="first states that each chain draws to start from the best; if left out, the chains share 32, "
        "4 each at most",
    )

    def betas(self) -> schedules.Schedule:
        """See :meth:`MetropolisOptions.betas`."""
        schedule = self.schedule
        if isinstance(schedule, Listed):
            return schedules.listed(schedule.betas, self.steps)
        make = schedules.linear if schedule.kind == "linear" else schedules.geometric
        return make(schedule.start, schedule.stop, self.steps)
