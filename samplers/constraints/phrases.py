"""Phrases that no mark breaks off."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from samplers.constraints.base import Constraint
from samplers.spans import Decode, inside, keyword_spans
from samplers.state import State

_ARTICLES = ("a", "an", "the", "my", "your", "our", "their", "its", "every", "no")
_PREPOSITIONS = ("of", "from", "into", "at", "with", "for")
_CONJUNCTIONS = ("and", "or", "but", "nor", "if", "because", "although", "than", "as")
_PRONOUNS = ("i", "we", "he", "she", "they")
OPENERS = frozenset((*_ARTICLES, *_PREPOSITIONS, *_CONJUNCTIONS, *_PRONOUNS))
"""English words that begin a phrase and seldom end one."""


@dataclass(frozen=True, slots=True)
class WholePhrases(Constraint):
    """No mark stands right after a word that opens a phrase ("the, dog", "house of.").

    A small model finds such openings likely, since much of its text is lists and headings. A
    keyword that has one inside (Who am I?) is not judged.

    Attributes:
        decode: token ids to text.
        openers: the words, in lower case.
        marks: the marks.
    """

    decode: Decode
    openers: Collection[str] = OPENERS
    marks: str = ",.!?"
    _pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        words = "|".join(map(re.escape, sorted(self.openers)))
        pattern = re.compile(rf"\b(?:{words})\s*[{re.escape(self.marks)}](?!\w)", re.IGNORECASE)
        object.__setattr__(self, "_pattern", pattern)

    def violation(self, state: State, text: str) -> float:
        """How many phrases are broken off."""
        broken = [match.span() for match in self._pattern.finditer(text)]
        if not broken:
            return 0
        spans = keyword_spans(state, self.decode)
        return sum(not inside(spans, start, stop) for start, stop in broken)
