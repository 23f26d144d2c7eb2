"""Replica exchange: chains at several betas that exchange their states now and then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Any

import numpy as np

from samplers.kernels.base import Chain, Kernel, Try
from samplers.kernels.joint import JointKernel
from samplers.language import LanguageModel
from samplers.schedules import Schedule
from samplers.target import Target


def rungs(ladder: Sequence[float]) -> Schedule:
    """Schedule by which chain i stays at beta number i mod the number of betas."""
    return lambda chain, step: ladder[chain % len(ladder)]


def exchange_name(upper: float, lower: float) -> str:
    """Name under which the exchanges of two neighbouring betas are counted."""
    return f"exchange {upper:g}|{lower:g}"


@dataclass(frozen=True, slots=True)
class Tempering(JointKernel):
    """Each chain keeps its pi_beta; every ``every`` steps neighbouring betas exchange their states with probability

        min(1, exp((beta_i - beta_j) (e_j - e_i))),   e = log p_LM(x | context) + reward |x|,

    which is all that differs between pi_beta_i and pi_beta_j, so no model is asked. Chains come in groups of the
    ladder's length; within each, pairs that begin at even and at odd places take turns. Where the target is rugged,
    states that hot chains reached move down to the cold ones. All chains wait for the last before they exchange.

    Sources: Geyer, Markov chain Monte Carlo maximum likelihood (1991); even and odd in turns: Okabe et al. (Chemical
    Physics Letters 2001); Syed et al., Non-reversible parallel tempering (JRSS B 2022).

    Attributes:
        kernel: that moves the chains, with :func:`rungs` of the ladder for its schedule.
        target: the law.
        ladder: the betas, the first that of the samples.
        every: steps between exchanges, >= 1.

    Raises:
        ValueError: there are fewer than two betas.
    """

    kernel: Kernel
    target: Target
    ladder: Sequence[float]
    every: int = 5

    def __post_init__(self) -> None:
        if len(self.ladder) < 2:
            raise ValueError("a ladder needs at least two betas")

    @property
    def group(self) -> int:
        """See :attr:`JointKernel.group`."""
        return len(self.ladder)

    async def step_together(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], number: int
    ) -> list[Chain]:
        """Try every other pair of neighbours in each group; the uniform is the first chain's."""
        chains, size = list(chains), self.group
        first = 0 if size == 2 else number % 2
        for group in range(0, len(chains), size):
            for rung in range(first, size - 1, 2):
                i, j = group + rung, group + rung + 1
                gained = self._energy(chains[j]) - self._energy(chains[i])
                log_ratio = (self.ladder[rung] - self.ladder[rung + 1]) * gained
                accepted = log(1.0 - rngs[i].random()) < log_ratio
                moved = accepted and chains[i].state != chains[j].state
                attempt = Try(exchange_name(self.ladder[rung], self.ladder[rung + 1]), True, moved)
                here, there = chains[i].position, chains[j].position
                if accepted:
                    here, there = there, here
                chains[i], chains[j] = chains[i].beside(here, attempt), chains[j].beside(there, attempt)
        return chains

    def _energy(self, chain: Chain) -> float:
        return self.target.objective.value(chain.position.scored.log_probs)
