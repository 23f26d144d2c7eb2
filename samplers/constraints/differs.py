"""Another text than a given one."""

from __future__ import annotations

from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Differs(Constraint):
    """The sentence is another one than a given text, marks, spaces and letter case aside."""

    text: str

    def violation(self, state: State, text: str) -> float:
        """1 if it is the same."""
        return int(_letters(text) == _letters(self.text))


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text)).lower()
