"""What every kernel offers: init and advance over a batch of chains."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from samplers.kernels.prefetch import PrefetchedStep
from samplers.language import LanguageModel, Scored
from samplers.state import State

FADING = 0.95
"""What is left of a step's weight in the acceptance_rate of its chain after the next step."""


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
        ahead: steps drawn after those, of which some scores are wanted still; none as a rule.
        acceptance_rate: share of its steps that moved it, of late: each weighs 5 % less than the one after it.
    """

    state: State
    scored: Scored
    steps: int = 0
    tries: tuple[Try, ...] = ()
    ahead: Sequence[PrefetchedStep] = ()
    acceptance_rate: float = 0.2

    def after(self, tries: Sequence[Try], moved_to: tuple[State, Scored] | None) -> Chain:
        """The chain after more steps, of which the last moved it, or none did."""
        state, scored = moved_to or (self.state, self.scored)
        acceptance_rate = self.acceptance_rate * FADING ** len(tries) + (1 - FADING) * (moved_to is not None)
        return Chain(state, scored, self.steps + len(tries), tuple(tries), acceptance_rate=acceptance_rate)

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
        """Go on with every chain that has taken fewer than ``until`` steps.

        A call asks the model for scores once. A chain that needs more to know whether it moved takes no step
        in this call, and waits with what the others ask for next; some chain does take one after a few calls.
        """
        ...
