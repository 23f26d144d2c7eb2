"""Capital at the opening."""

from __future__ import annotations

import re
from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.state import State

_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class CapitalOpening(Constraint):
    """The first word begins with a capital or a digit, or has a capital inside (iPhone)."""

    def violation(self, state: State, text: str) -> float:
        """1 if the sentence opens in lower case."""
        word = _WORD.search(text)
        return int(word is not None and word[0][0].islower() and word[0].islower())

    def hopeless(self, beginning: State, text: str) -> bool:
        """Whether the first word is whole, and opens in lower case."""
        word = _WORD.search(text)
        return word is not None and word.end() < len(text) and self.violation(beginning, text) > 0
