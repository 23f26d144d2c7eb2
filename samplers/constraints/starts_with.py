"""Text that opens the sentence."""

from __future__ import annotations

from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.state import State


@dataclass(frozen=True, slots=True)
class StartsWith(Constraint):
    """The sentence opens with a text, as it is written."""

    opening: str

    def violation(self, state: State, text: str) -> float:
        """Characters before the text; where it does not occur, all of the sentence and what its opening lacks."""
        at = text.find(self.opening)
        if at >= 0:
            return at
        agreed = next((i for i, (a, b) in enumerate(zip(self.opening, text, strict=False)) if a != b), len(text))
        return len(text) + len(self.opening) - agreed
