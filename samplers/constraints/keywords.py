"""Required keywords, as whole words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.constraints.words import Boundaries, occurrences
from samplers.state import State


@dataclass(frozen=True, slots=True)
class AllKeywords(Constraint):
    """Each keyword, in one of its forms, is a whole word of the decoded text ("art" is not in "party").

    Frozen blocks guarantee the keyword's tokens; this guarantees the word, since a
    neighbouring token can grow it (公园 inside 办公园区). Occurrences of different keywords may
    not overlap when ordered; without an order each keyword is looked for on its own.

    Attributes:
        forms: for each keyword its accepted spellings.
        boundaries: word edges of a text.
        ordered: whether the keywords must follow one another in the order given.
    """

    forms: Sequence[Sequence[str]]
    boundaries: Boundaries
    ordered: bool = False

    def violation(self, state: State, text: str) -> float:
        """How many keywords are missing (in their order, if it counts)."""
        edges = self.boundaries(text)
        missing = 0
        reached = 0
        for spellings in self.forms:
            ends = [
                stop for spelling in spellings for start, stop in occurrences(spelling, text, edges) if start >= reached
            ]
            if not ends:
                missing += 1
            elif self.ordered:
                reached = min(ends)
        return missing
