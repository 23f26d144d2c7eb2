"""Phrases that occur so often."""

from __future__ import annotations

from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.constraints.words import Boundaries, occurrences
from samplers.state import State


def count(phrase: str, text: str, boundaries: Boundaries | None = None) -> int:
    """Occurrences of a phrase that do not overlap, letter case ignored.

    Args:
        phrase: the phrase.
        text: where it is looked for.
        boundaries: with word edges, only whole words count; without, any substring does.
    """
    phrase, folded = phrase.lower(), text.lower()
    if boundaries is None:
        return folded.count(phrase)
    reached = found = 0
    # Lower-casing may change a text's length (İ); edges are then taken from the folded text.
    for start, stop in occurrences(phrase, folded, boundaries(text if len(folded) == len(text) else folded)):
        if start >= reached:
            reached, found = stop, found + 1
    return found


@dataclass(frozen=True, slots=True)
class Counts(Constraint):
    """A phrase occurs at least and at most so often; see :func:`count`.

    Attributes:
        phrase: the phrase.
        at_least: least number of occurrences.
        at_most: greatest number; None for no bound.
        boundaries: word edges, or None.
    """

    phrase: str
    at_least: int = 0
    at_most: int | None = None
    boundaries: Boundaries | None = None

    def violation(self, state: State, text: str) -> float:
        """Occurrences missing or too many."""
        found = count(self.phrase, text, self.boundaries)
        most = found if self.at_most is None else self.at_most
        return max(self.at_least - found, found - most, 0)
