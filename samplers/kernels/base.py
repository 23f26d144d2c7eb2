"""Markov kernels over a batch of chains: the protocol, and a chain's position and record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np

from samplers.kernels.prefetch import PrefetchedStep
from samplers.language import LanguageModel, Scored
from samplers.state import State

ACCEPTANCE_DECAY = 0.95
"""Factor by which each step lessens the weight of those before it in a chain's acceptance rate."""


@dataclass(frozen=True, slots=True)
class Try:
    """One step of one chain.

    Attributes:
        move: name of the move tried.
        proposed: whether it applied, so that a state was proposed.
        moved: whether the proposal was accepted and differs from the state before.
        proposal: x', None where the move did not apply.
        log_ratio: log r in nats, or that of the first stage where the proposal was rejected there; None for one that
            was rejected unscored.
        stage: 0 for a step decided unscored, 1 for one rejected in the first of two stages, 2 for one decided by the
            whole score.
    """

    move: str
    proposed: bool
    moved: bool
    proposal: State | None = None
    log_ratio: float | None = None
    stage: int = 0


@dataclass(frozen=True, slots=True)
class Position:
    """A state with all that its density is made of.

    Attributes:
        state: x.
        scored: its score under the language model, and what the model keeps with it.
        log_weight: phi(x) of the target's potential, in nats.
    """

    state: State
    scored: Scored
    log_weight: float = 0.0

    @property
    def log_prob(self) -> float:
        """log p_LM(x | context), the sum over tokens, in nats."""
        return float(self.scored.log_probs.sum())


@dataclass(frozen=True, slots=True)
class Info:
    """Record of a chain's steps.

    Attributes:
        steps: number of steps so far.
        tries: the steps of the last advance, in order; only the last of them can have moved.
        acceptance_rate: share of recent steps that moved the chain, weighted by :data:`ACCEPTANCE_DECAY`.
    """

    steps: int = 0
    tries: tuple[Try, ...] = ()
    acceptance_rate: float = 0.2

    @property
    def moved(self) -> bool:
        """Whether the state changed in the last advance."""
        return bool(self.tries) and self.tries[-1].moved

    def after(self, tries: Sequence[Try]) -> Info:
        """The record after more steps, of which the last moved the chain, or none did."""
        moved = bool(tries) and tries[-1].moved
        rate = self.acceptance_rate * ACCEPTANCE_DECAY ** len(tries) + (1 - ACCEPTANCE_DECAY) * moved
        return Info(self.steps + len(tries), tuple(tries), rate)


@dataclass(frozen=True, slots=True)
class Chain:
    """Where one chain stands, how it came there, and the steps drawn beyond.

    Attributes:
        position: the current state with its score and weight.
        info: the record of its steps.
        prefetched: steps drawn already, of which some scores are open; empty as a rule.
    """

    position: Position
    info: Info = field(default=Info())
    prefetched: Sequence[PrefetchedStep] = ()

    @property
    def state(self) -> State:
        """x."""
        return self.position.state

    @property
    def log_prob(self) -> float:
        """log p_LM(x | context) in nats."""
        return self.position.log_prob

    @property
    def steps(self) -> int:
        """Number of steps so far."""
        return self.info.steps

    @property
    def moved(self) -> bool:
        """Whether the state changed in the last advance."""
        return self.info.moved

    def beside(self, position: Position, attempt: Try) -> Chain:
        """The chain after chains exchanged or chose their states together, which is no step.

        A try that moved it stays the last of its record.
        """
        tries = self.info.tries
        tries = (*tries, attempt) if attempt.moved else (attempt, *tries)
        return replace(self, position=position, info=replace(self.info, tries=tries))


class Kernel(Protocol):
    """A Markov kernel over a batch of chains, each with a random generator of its own."""

    async def init(self, states: Sequence[State], model: LanguageModel[Any]) -> list[Chain]:
        """Score the first states.

        Raises:
            ValueError: a state has density 0.
        """
        ...

    async def advance(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], total_steps: int
    ) -> list[Chain]:
        """Go on with every chain that has taken fewer than ``total_steps`` steps.

        A call asks the model for scores once. A chain that needs more to know whether it moved takes no step
        in this call, and its request joins those of the others in the next; some chain takes one after a few calls.
        """
        ...
