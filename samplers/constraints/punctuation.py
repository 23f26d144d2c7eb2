"""Tidy punctuation."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import ClassVar

from samplers.constraints.base import Constraint
from samplers.spans import Decode, inside, keyword_spans
from samplers.state import State

PAUSES = frozenset(",.;:!?…—–，、。；：！？")
"""Marks that part or close; brackets, quotes, per cent signs and the like may stand beside them."""
OPENING_QUOTES = frozenset('"“‘')


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("P") and character not in "'’"


def _opens(character: str) -> bool:
    return unicodedata.category(character) in ("Ps", "Pi") or character in OPENING_QUOTES


def _begins_word(text: str, at: int) -> bool:
    """Whether a dot is the first character of a word, such as .NET."""
    return text[at] == "." and text[at + 1 : at + 2].isalnum()


@dataclass(frozen=True, slots=True)
class TidyPunctuation(Constraint):
    """The sentence does not open with a mark, and no pause follows a pause, an opening bracket or an opening quote.

    The closing mark counts, so a comma before it is stray too. Marks inside a keyword are not
    judged, but its edges are: ``等一等……`` may not stand before a comma. The full stop of an
    abbreviation may be followed by a comma, a question or an exclamation mark.

    Attributes:
        decode: token ids to text.
        closing_quotes: quotes that close in this language though they open in others.
    """

    judges_labels: ClassVar[bool] = True

    decode: Decode
    closing_quotes: str = ""

    def violation(self, state: State, text: str) -> float:
        """How many marks are stray."""
        characters = [(at, c) for at, c in enumerate(text) if not c.isspace()]
        stray = [
            (first, second)
            for (first, a), (second, b) in zip(characters, characters[1:], strict=False)
            if b in PAUSES
            and (a in PAUSES or (_opens(a) and a not in self.closing_quotes))
            and not _begins_word(text, second)
        ]
        opening = [(at, at) for at, c in characters[:1] if _is_mark(c) and len(characters) > 1]
        if not stray and not opening:
            return 0
        spans = keyword_spans(state, self.decode)
        return sum(
            not inside(spans, first, second + 1) and not self._ends_abbreviation(text, first, second, spans)
            for first, second in (*opening, *stray)
        )

    def hopeless(self, beginning: State, text: str) -> bool:
        """Whether a mark is stray; a dot at the end may still begin a word."""
        return self.violation(beginning, text.rstrip(".")) > 0

    @staticmethod
    def _ends_abbreviation(text: str, first: int, second: int, spans: list[tuple[int, int]]) -> bool:
        return text[first] == "." and text[second] in ",?!" and any(stop == first + 1 for _, stop in spans)
