"""Acrostics: clauses that open with given characters."""

from __future__ import annotations

import re
from dataclasses import dataclass

from samplers.constraints.base import Constraint
from samplers.state import State

PARTING = re.compile(r"[，；。！？]|[,;.!?](?!\w)")
"""Marks between clauses; a dot or comma inside a number or an abbreviation is none."""


def initials(text: str) -> str:
    """The first letter, character or digit of each clause of a text."""
    clauses = (next(filter(str.isalnum, clause), "") for clause in PARTING.split(text))
    return "".join(clauses)


@dataclass(frozen=True, slots=True)
class Acrostic(Constraint):
    """The sentence has as many clauses as there are characters, and the n-th opens with the n-th, letter case ignored.

    Attributes:
        characters: letters, characters or digits.
    """

    characters: str

    def violation(self, state: State, text: str) -> float:
        """Clauses missing or too many, and those that open otherwise."""
        found, asked = initials(text).lower(), self.characters.lower()
        return abs(len(found) - len(asked)) + sum(a != b for a, b in zip(found, asked, strict=False))
