"""No stray punctuation."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from samplers.state import State


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("P")


@dataclass(frozen=True, slots=True)
class TidyPunctuation:
    """The sentence does not open with a mark, and no two marks touch (but for an apostrophe).

    The closing mark counts, so a comma before it is stray too.
    """

    def violation(self, state: State, text: str) -> float:
        """How many marks are stray."""
        marks = [_is_mark(c) and c not in "'’" for c in text if not c.isspace()]
        opening = bool(marks) and len(marks) > 1 and marks[0]
        return int(opening) + sum(a and b for a, b in zip(marks, marks[1:], strict=False))
