"""What every kernel offers: init and advance over a batch of chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from samplers.language import LanguageModel, Scored
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Try:
    """One step of one chain.

    Attributes:
        move: name of the move tried.
        proposed: whether it applied, so that a state was proposed.
        moved: whether the proposal was accepted and differs from the state before.
    """

    move: str
    proposed: bool
    moved: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Where one chain stands.

    Attributes:
        state: x.
        scored: its score under the language model, and what the model keeps with it.
        steps: steps taken so far.
        tries: the steps of the last advance, in order; only the last of them can have moved.
    """

    state: State
    scored: Scored
    steps: int = 0
    tries: tuple[Try, ...] = ()

    @property
    def log_prob(self) -> float:
        """log p_LM(x | context), the sum over tokens, in nats."""
        return float(self.scored.log_probs.sum())

    @property
    def moved(self) -> bool:
        """Whether the state changed in the last advance."""
        return bool(self.tries) and self.tries[-1].moved


class Kernel(Protocol):
    """A Markov kernel over a batch of chains, each with a random generator of its own."""

    async def init(self, states: Sequence[State], model: LanguageModel[Any]) -> list[Chain]:
        """Score the first states.

        Raises:
            ValueError: a state lies outside the support.
        """
        ...

    async def advance(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], until: int
    ) -> list[Chain]:
        """Take one step or more with every chain that has taken fewer than ``until``."""
        ...
