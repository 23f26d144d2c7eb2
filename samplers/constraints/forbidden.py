"""Forbidden words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.constraints.words import Boundaries, occurrences
from samplers.state import State


@dataclass(frozen=True, slots=True)
class ForbiddenWords(Constraint):
    """None of the words occurs in the text, letter case ignored.

    Attributes:
        words: the forbidden ones.
        boundaries: with word edges, only whole words are forbidden ("art" leaves "party"
            alone); without, any occurrence is.
    """

    words: Sequence[str]
    boundaries: Boundaries | None = None

    def hopeless(self, beginning: State, text: str) -> bool:
        """Whether a word that is forbidden within others too occurs."""
        return self.boundaries is None and self.violation(beginning, text) > 0

    def violation(self, state: State, text: str) -> float:
        """How many of the forbidden words occur."""
        folded = text.lower()
        if self.boundaries is None:
            return sum(word.lower() in folded for word in self.words)
        # Lower-casing may change a text's length (İ); edges are then taken from the folded text.
        edges = self.boundaries(text if len(folded) == len(text) else folded)
        return sum(next(occurrences(word.lower(), folded, edges), None) is not None for word in self.words)
