"""Simulated annealing: Metropolis-Hastings while the temperature falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from samplers.kernels.base import Chain
from samplers.kernels.metropolis import MetropolisHastings
from samplers.language import LanguageModel
from samplers.schedules import Schedule
from samplers.state import State


@dataclass(frozen=True, slots=True)
class SimulatedAnnealing:
    """Step t is a Metropolis-Hastings step for pi_beta with beta = schedule(t).

    The Hastings correction is kept at every temperature, so each step leaves its own pi_beta
    invariant; as beta rises, pi_beta gathers at the mode of the constrained language model.
    Source: Kirkpatrick, Gelatt and Vecchi (Science 1983); for text Liu et al., UPSA (ACL 2020),
    whose acceptance omits the correction.

    Attributes:
        kernel: the Metropolis-Hastings kernel; its own beta is not used.
        schedule: beta by step.
    """

    kernel: MetropolisHastings
    schedule: Schedule

    async def init(self, states: Sequence[State], model: LanguageModel[Any]) -> list[Chain]:
        """Score the first states; see :meth:`samplers.kernels.base.Kernel.init`."""
        return await self.kernel.init(states, model)

    async def advance(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], until: int
    ) -> list[Chain]:
        """Steps at the temperatures of their numbers; see :meth:`samplers.kernels.base.Kernel.advance`."""
        return await self.kernel.advance_by(self.schedule, chains, model, rngs, until)
