"""Blocks that open and close the sentence."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Framed(Constraint):
    """The sentence opens with one block, ends with another, and closes with one of some tokens.

    Attributes:
        opening: the first block's number; None for any opening.
        closing: the last block's; None for any end.
        ends: closing tokens that may stand.
    """

    opening: int | None
    closing: int | None
    ends: Collection[int]

    def violation(self, state: State, text: str) -> float:
        """Tokens before the one and after the other, and 1 for another closing token."""
        before = 0 if self.opening is None else state.block(self.opening).start
        after = 0 if self.closing is None else state.end - state.block(self.closing).stop
        return before + after + (state.tokens[-1] not in self.ends)
