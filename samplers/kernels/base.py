"""What every kernel offers: init and step over a batch of chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from samplers.language import LanguageModel, Scored
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Chain:
    """Where one chain stands.

    Attributes:
        state: x.
        scored: its score under the language model, and what the model keeps with it.
        move: name of the move tried last; None before the first step.
        proposed: whether that move applied, so that a state was proposed.
        moved: whether the proposal was accepted and differs from the state before.
    """

    state: State
    scored: Scored
    move: str | None = None
    proposed: bool = False
    moved: bool = False

    @property
    def log_prob(self) -> float:
        """log p_LM(x | context), the sum over tokens, in nats."""
        return float(self.scored.log_probs.sum())


class Kernel(Protocol):
    """A Markov kernel over a batch of chains, each with a random generator of its own."""

    async def init(self, states: Sequence[State], model: LanguageModel) -> list[Chain]:
        """Score the first states.

        Raises:
            ValueError: a state lies outside the support.
        """
        ...

    async def step(
        self, step: int, chains: Sequence[Chain], model: LanguageModel, rngs: Sequence[np.random.Generator]
    ) -> list[Chain]:
        """Advance every chain by one step, ``step`` counting from 1."""
        ...
