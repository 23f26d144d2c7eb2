"""Kernels whose chains move on their own and, every few steps, in groups together."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from samplers.kernels.base import Chain, Kernel
from samplers.language import LanguageModel
from samplers.state import State


class JointKernel(ABC):
    """A kernel that moves chains by another one, and every ``every`` steps lets each group take a joint step.

    All chains wait for the last before a joint step.

    Attributes:
        kernel: that moves the chains in between.
        every: steps between joint steps, >= 1.
    """

    __slots__ = ()

    kernel: Kernel
    every: int

    @property
    @abstractmethod
    def group(self) -> int:
        """Number of chains that take a joint step."""

    @abstractmethod
    async def step_together(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], number: int
    ) -> list[Chain]:
        """All groups after their joint step with this number, the first being 1."""

    async def init(self, states: Sequence[State], model: LanguageModel[Any]) -> list[Chain]:
        """See :meth:`samplers.kernels.base.Kernel.init`.

        Raises:
            ValueError: a state has density 0, or the chains are no whole groups.
        """
        if len(states) % self.group:
            raise ValueError(f"{len(states)} chains are no whole groups of {self.group}")
        return await self.kernel.init(states, model)

    async def advance(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], total_steps: int
    ) -> list[Chain]:
        """Go on to the next joint step at most; see :meth:`samplers.kernels.base.Kernel.advance`."""
        least = min(chain.steps for chain in chains)
        stop = min(total_steps, (least // self.every + 1) * self.every)
        after = await self.kernel.advance(chains, model, rngs, stop)
        if stop % self.every or any(chain.steps < stop for chain in after):
            return after
        return await self.step_together(after, model, rngs, stop // self.every)
