"""How much of a question stands in which sentences of a passage."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Collection, Sequence

import regex

from models.retrieval.reading.form import Form
from models.retrieval.reading.spans import UNSPACED, Span, key_text, sentences_of

_PIECE = regex.compile(rf"(?V1)[{UNSPACED}]+|[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]+|\p{{S}}+")
_UNSPACED_FIRST = regex.compile(rf"[{UNSPACED}]")


def units(text: str, ignored: Collection[str] = ()) -> frozenset[str]:
    """Units of a text, in lower case: words, of scripts that write none apart single characters and pairs.

    ``ignored`` words are no units, and part those beside them.
    """
    return frozenset(unit for unit, _, _ in _placed(key_text(text).lower(), ignored))


def _placed(text: str, ignored: Collection[str] = ()) -> list[tuple[str, int, int]]:
    """Units of a text in lower case, with where each stands."""
    found: list[tuple[str, int, int]] = []
    for match in _PIECE.finditer(text):
        piece, start = match[0], match.start()
        if _UNSPACED_FIRST.match(piece):
            for word in ignored:
                piece = piece.replace(word, " " * len(word))
            for at, character in enumerate(piece):
                if character != " ":
                    found.append((character, start + at, start + at + 1))
                    if at + 1 < len(piece) and piece[at + 1] != " ":
                        found.append((piece[at : at + 2], start + at, start + at + 2))
        elif piece not in ignored:
            found.append((piece, start, match.end()))
    return found


class Sight:
    """A passage and a question side by side.

    Cover is the share of the question's units, those left out that ask, each by how few of the passage's sentences have
    it.

    Args:
        passage: as given.
        question: about it.
        form: of their language.
    """

    def __init__(self, passage: str, question: str, form: Form) -> None:
        self.passage, self.question, self.asking = passage, question, form.asking
        # Character by character, so that places stay; what has no such form is its own.
        text = "".join(low if len(low := key_text(c).lower()) == 1 else c for c in passage)
        self.sentences = sentences_of(passage)
        self._starts = [start for start, _ in self.sentences]
        asked = units(question, form.asking)
        held: list[set[str]] = [set() for _ in self.sentences]
        self._found: list[list[tuple[str, int, int]]] = [[] for _ in self.sentences]
        for unit, start, end in _placed(text):
            number = self._number(start)
            held[number].add(unit)
            if unit in asked:
                self._found[number].append((unit, start, end))
        whole = {unit: math.log1p((1 + len(held)) / (1 + sum(unit in each for each in held))) for unit in asked}
        total = sum(whole.values())
        self._weights = {unit: weight / total for unit, weight in whole.items()}
        self._covers = [self._sum({unit for unit, _, _ in found}) for found in self._found]

    @property
    def best_sentence(self) -> Span | None:
        """The sentence that covers most of the question, with what the three before it cover besides; None of none."""
        numbers = range(len(self.sentences))
        best = max(numbers, key=lambda i: self._covers[i] + self._before(i) / 2, default=None)
        return None if best is None else self.sentences[best]

    def place(self, occurrences: Sequence[Span]) -> Span:
        """That occurrence of a span beside which its sentence covers most of the question; the first of several."""
        return max(occurrences, key=lambda span: (self._around(span), -span.start))

    def _number(self, at: int) -> int:
        return bisect_right(self._starts, at) - 1

    def _sum(self, covered: Collection[str]) -> float:
        return sum(self._weights[unit] for unit in covered)

    def _before(self, number: int) -> float:
        near = {unit for found in self._found[max(0, number - 3) : number] for unit, _, _ in found}
        return self._sum(near - {unit for unit, _, _ in self._found[number]})

    def _around(self, span: Span) -> float:
        """Cover by the sentence around a span, itself left out."""
        found = self._found[self._number(span.start)]
        return self._sum({unit for unit, a, b in found if b <= span.start or a >= span.end})
