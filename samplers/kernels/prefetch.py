"""A step drawn before it is known whether the steps before it move the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from samplers.language import Scored
from samplers.moves.base import Draft, Proposal


class ScoreRequest(NamedTuple):
    """What the model has to score next.

    Attributes:
        tokens: a sentence, or its beginning.
        base: what it edits or continues.
    """

    tokens: tuple[int, ...]
    base: Scored


@dataclass(slots=True)
class PrefetchedStep:
    """A step drawn ahead: its random choices, and what the model answers to them.

    Attributes:
        beta: inverse temperature of the step.
        move: name of the move.
        draft: the move's places, or None where it does not apply.
        log_uniform: log of the acceptance uniform.
        generator_state: the chain's generator after this step's draws.
        proposal: the proposed state.
        wanted: what has to be scored before it is known whether the step moves the chain; None once it is.
        scored: the proposal's score, None for one outside the support; with two stages, if it passed the first.
        second_log_uniform: likewise of the second stage.
        first_log_ratio: log r_1 of the first stage, None where there is but one.
    """

    beta: float
    move: str
    draft: Draft | None
    log_uniform: float
    generator_state: Any
    proposal: Proposal | None = None
    wanted: ScoreRequest | None = None
    scored: Scored | None = None
    second_log_uniform: float = 0.0
    first_log_ratio: float | None = None

    def accepts(self, log_ratio: float) -> bool:
        """Whether the uniforms accept, given log r."""
        if self.first_log_ratio is None:
            return self.log_uniform < log_ratio
        return self.log_uniform < self.first_log_ratio and self.second_log_uniform < log_ratio - self.first_log_ratio
