"""Prefetched steps: drawn before it is known whether the steps before them move the chain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from samplers.language import Scored
from samplers.moves.base import Draft, Proposal, Round


class ScoreRequest(NamedTuple):
    """A sentence, or its beginning, that the model has to score next, and the sentence that it edits or continues."""

    tokens: tuple[int, ...]
    base: Scored


@dataclass(slots=True)
class PrefetchedStep:
    """The random choices of a step, and the answers of the model and the potential to them.

    Attributes:
        beta: inverse temperature of the step.
        move: name of the move.
        draft: the move's places, or None where it does not apply; of a move of several rounds the open one.
        log_uniform: log of the acceptance uniform.
        generator_state: the chain's generator after this step's draws; None for the last step, where it stands.
        proposal: the proposed state.
        read: the score of the text that an open round is about, from which the proposal's score goes on.
        score_request: open question to the model.
        weight_open: whether the proposal's potential is asked for next.
        scored: the proposal's score; None for one that is rejected without.
        log_weight: the proposal's potential, in nats.
        second_log_uniform: log of the second stage's uniform.
        first_log_ratio: log r_1 of the first stage, None where there is one stage.
    """

    beta: float
    move: str
    draft: Draft | Round | None
    log_uniform: float
    generator_state: Any = None
    proposal: Proposal | None = None
    read: Scored | None = None
    score_request: ScoreRequest | None = None
    weight_open: bool = False
    scored: Scored | None = None
    log_weight: float = 0.0
    second_log_uniform: float = 0.0
    first_log_ratio: float | None = None

    @property
    def waits(self) -> bool:
        """Whether an answer is open without which the step cannot be decided."""
        return self.drafted or self.weight_open or self.score_request is not None

    @property
    def drafted(self) -> bool:
        """Whether the move has places and no proposal yet."""
        return self.draft is not None and self.proposal is None

    def accepts(self, log_ratio: float) -> bool:
        """Whether the uniforms accept, given log r."""
        if self.first_log_ratio is None:
            return self.log_uniform < log_ratio
        return self.log_uniform < self.first_log_ratio and self.second_log_uniform < log_ratio - self.first_log_ratio
