"""A space before the first token, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.state import State


@dataclass(frozen=True, slots=True)
class LeadingSpace(Constraint):
    """The first token carries a space before it, or does not.

    Attributes:
        piece: the text of a token.
        wanted: whether it does.
    """

    piece: Callable[[int], str]
    wanted: bool

    def violation(self, state: State, text: str) -> float:
        """1 if it is otherwise; an empty state has no first token."""
        return int(bool(state.tokens) and self.piece(state.tokens[0]).startswith(" ") is not self.wanted)

    def hopeless(self, beginning: State, text: str) -> bool:
        """Whether it is otherwise."""
        return self.violation(beginning, text) > 0
