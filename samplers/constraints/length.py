"""Bounds on the length of the sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from samplers.constraints.base import Constraint
from samplers.state import State


def characters(state: State, text: str) -> int:
    """Characters of the text without white space; the closing mark counts as one."""
    return sum(not c.isspace() for c in text)


def tokens(state: State, text: str) -> int:
    """Tokens of the state, the closing token included."""
    return len(state)


@dataclass(frozen=True, slots=True)
class LengthBounds(Constraint):
    """minimum <= measure(x) <= maximum, both inclusive.

    Attributes:
        measure: length of a state in the chosen unit.
        minimum: least length.
        maximum: greatest length, or None for no bound.
        grows: whether nothing that is written later makes a beginning shorter; words that a segmenter finds may join.
    """

    cumulative: ClassVar[bool] = True

    measure: Callable[[State, str], int]
    minimum: int = 0
    maximum: int | None = None
    grows: bool = True

    def exceeded(self, state: State, text: str) -> bool:
        """Whether the greatest length is passed, as it then is by whatever goes on from the same beginning."""
        return self.maximum is not None and self.measure(state, text) > self.maximum

    def hopeless(self, beginning: State, text: str) -> bool:
        """Whether it is too long already, or will be with its closing token."""
        closing = self.measure in (characters, tokens)
        return self.grows and self.maximum is not None and self.measure(beginning, text) + closing > self.maximum

    def violation(self, state: State, text: str) -> float:
        """Units missing or too many."""
        length = self.measure(state, text)
        if length < self.minimum:
            return self.minimum - length
        if self.maximum is not None and length > self.maximum:
            return length - self.maximum
        return 0
