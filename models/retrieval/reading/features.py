"""What can be seen of the spans that may answer a question without asking a model."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from functools import cached_property

import numpy as np
import regex
from numpy.typing import NDArray

from models.retrieval.reading.spans import UNSPACED, Span, clauses_of, key_text, sentences_of

FEATURES = (
    "length",
    "length_squared",
    "asked",
    "outer",
    "sentence",
    "best_sentence",
    "before",
    "named",
    "named_before",
    "clause",
    "left",
    "right",
    "glued",
    "crosses",
    "left_asked",
    "right_asked",
    "left_outer",
    "right_outer",
    "edges",
    "gap",
    "repeated",
    "name",
    "digits",
)
"""Names of the columns that :meth:`Sight.columns` gives.

length, length_squared: logarithm of its characters, and the square of that.
asked: share of its characters that are of the question's units.
outer: whether it begins or ends with a word that asks or only holds a sentence together.
sentence: cover of the question by the sentence around it, itself left out.
best_sentence: whether no sentence covers more, itself included.
before: what the three sentences before cover besides.
named: share of what the question names that stands in the sentence; named_before: in the three before, if not in it.
clause: cover by the clause around it, itself left out.
left, right: whether nothing or a mark stands beside it there.
glued: at how many of its ends a mark between the parts of a word stands, such as that of Asia/Tokyo.
crosses: whether a sentence ends within it.
left_asked, right_asked: whether a unit of the question does.
left_outer, right_outer: whether a word that asks or only holds a sentence together does.
edges: how many of its ends are edges of words.
gap: logarithm of the characters to the nearest unit of the question in the sentence.
repeated: share of its units that other sentences have too.
name: whether it has a capital letter or a symbol.
digits: whether it has a digit.

What a question names are its words with a capital letter, the first aside, and, of scripts that write none apart, that
piece of it which the fewest sentences have, the longest of several. Units are words, of such scripts single characters
and pairs; cover is the share of the question's units, those left out that ask, each by how few sentences of the passage
have it.
"""

FAR = 99
"""Gap to nothing, in characters."""

_PIECE = regex.compile(rf"(?V1)[{UNSPACED}]+|[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]+|\p{{S}}+")
_UNSPACED_FIRST = regex.compile(rf"[{UNSPACED}]")
_GLUE = regex.compile(r"[\p{Pd}\p{S}/_&'’.@·]")
_NAME = regex.compile(r"[\p{Lu}\p{So}\p{Sc}]")


def units(text: str, ignored: Collection[str] = ()) -> frozenset[str]:
    """Units of a text, in lower case; ``ignored`` words are no units, and part those beside them."""
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

    Args:
        passage: as given.
        question: about it.
        asking: words that ask or only hold a sentence together, the longer first.
        edges: offsets at which a word of a text may begin or end.
    """

    def __init__(
        self, passage: str, question: str, asking: Collection[str], edges: Callable[[str], Collection[int]]
    ) -> None:
        self.passage, self.question, self.asking = passage, question, asking
        # Character by character, so that places stay; what has no such form is its own.
        self._text = "".join(low if len(low := key_text(c).lower()) == 1 else c for c in passage)
        self.sentences, self._clauses = sentences_of(passage), clauses_of(passage)
        self._starts = [start for start, _ in self.sentences]
        self._edges = frozenset(edges(passage))
        asked = units(question, asking)
        held: list[set[str]] = [set() for _ in self.sentences]
        self._found: list[list[tuple[str, int, int]]] = [[] for _ in self.sentences]
        self._of: dict[int, list[str]] = {}
        for unit, start, end in _placed(self._text):
            number = self._number(start)
            held[number].add(unit)
            if unit in asked:
                self._found[number].append((unit, start, end))
        self._common = {unit for unit in set().union(*held) if sum(unit in each for each in held) > 1}
        whole = {unit: math.log1p((1 + len(held)) / (1 + sum(unit in each for each in held))) for unit in asked}
        total = sum(whole.values())
        self._weights = {unit: weight / total for unit, weight in whole.items()}
        self._covers = [self._sum({unit for unit, _, _ in found}) for found in self._found]
        self._names = [
            frozenset(number for number, (a, b) in enumerate(self.sentences) if name in self._text[a:b])
            for name in self._named(asking)
        ]
        self._marked = np.zeros(len(passage) + 1, dtype=np.bool_)
        for found in self._found:
            for unit, start, end in found:
                self._marked[start:end] |= len(unit) > 1 or not _UNSPACED_FIRST.match(unit)
        self._holding = np.zeros(len(passage) + 1, dtype=np.bool_)
        for word in asking:
            border = "" if _UNSPACED_FIRST.match(word) else r"\b"
            for match in regex.finditer(rf"{border}{regex.escape(word)}{border}", self._text):
                self._holding[match.start() : match.end()] = True

    @cached_property
    def told(self) -> float:
        """Cover of the question by the whole passage, 0 to 1."""
        return self._sum({unit for found in self._found for unit, _, _ in found})

    def best_sentences(self, most: int) -> list[Span]:
        """The sentences that cover most of the question, with what the ones before them cover besides."""
        order = sorted(range(len(self.sentences)), key=lambda i: -(self._covers[i] + self._before(i) / 2))
        return [self.sentences[i] for i in sorted(order[:most])]

    def place(self, occurrences: Sequence[Span]) -> Span:
        """That occurrence of a span whose sentence covers most of the question; the first of several."""
        return max(occurrences, key=lambda span: (self._around(span)[0], -span.start))

    def near(self, span: Span) -> float:
        """Cover of the question by the sentence around a span and the three before, 0 to 1."""
        number = self._number(span.start)
        return self._covers[number] + self._before(number)

    def columns(self, spans: Sequence[Span]) -> NDArray[np.float64]:
        """Features of K spans, (K, F)."""
        return np.array([self._row(span) for span in spans], dtype=np.float64).reshape(len(spans), len(FEATURES))

    def _row(self, span: Span) -> tuple[float, ...]:
        start, end = span
        number = self._number(start)
        sentence, clause = self._around(span)
        first, last = self.sentences[number].start, max(end, self.sentences[number].end)
        left, right = start - 1, end
        while left >= first and self.passage[left].isspace():
            left -= 1
        while right < last and self.passage[right].isspace():
            right += 1
        inside = left >= first, right < last
        mine = {unit for unit, _, _ in _placed(self._text[start:end])}
        text = self.passage[start:end]
        length = math.log(end - start)
        gaps = [max(start - b, a - end) for _, a, b in self._found[number] if b <= start or a >= end]
        return (
            length,
            length**2,
            float(self._marked[start:end].mean()),
            bool(self._holding[start] or self._holding[end - 1]),
            sentence,
            self._covers[number] >= max(self._covers),
            self._before(number),
            self._share({number}),
            self._share(set(range(max(0, number - 3), number))) * (1 - self._share({number})),
            clause,
            not (inside[0] and self.passage[left].isalnum()),
            not (inside[1] and self.passage[right].isalnum()),
            self._glues(start - 1) + self._glues(end),
            end > self.sentences[number].end,
            inside[0] and bool(self._marked[left]),
            inside[1] and bool(self._marked[right]),
            inside[0] and bool(self._holding[left]),
            inside[1] and bool(self._holding[right]),
            (start in self._edges) + (end in self._edges),
            math.log1p(min(gaps, default=FAR)),
            len(mine & self._common) / max(1, len(mine)),
            _NAME.search(text) is not None,
            any(map(str.isdigit, text)),
        )

    def _glues(self, at: int) -> bool:
        """Whether a symbol stands at a place, or a mark that holds what stands before and after it together."""
        if not 0 <= at < len(self.passage) or not _GLUE.match(self.passage[at]):
            return False
        beside = self.passage[max(0, at - 1) : at] + self.passage[at + 1 : at + 2]
        return unicodedata.category(self.passage[at])[0] == "S" or len(beside.replace(" ", "")) == 2

    def _number(self, at: int) -> int:
        return bisect_right(self._starts, at) - 1

    def _sum(self, covered: Collection[str]) -> float:
        return sum(self._weights[unit] for unit in covered)

    def _before(self, number: int) -> float:
        near = {unit for found in self._found[max(0, number - 3) : number] for unit, _, _ in found}
        return self._sum(near - {unit for unit, _, _ in self._found[number]})

    def _named(self, asking: Collection[str]) -> list[str]:
        """What the question names, in lower case."""
        text = key_text(self.question)
        words = [match for match in _PIECE.finditer(text) if not _UNSPACED_FIRST.match(match[0])]
        names = [word[0].lower() for word in words if word.start() and word[0] != word[0].lower()]
        runs: list[tuple[int, int, str]] = []
        for match in _PIECE.finditer(text.lower()):
            if not _UNSPACED_FIRST.match(match[0]):
                continue
            piece = match[0]
            for word in asking:
                piece = piece.replace(word, " ")
            for part in piece.split():
                at = 0
                while at < len(part):
                    end = at + 1
                    while end < len(part) and part[at : end + 1] in self._text:
                        end += 1
                    if end - at > 1:
                        held = sum(part[at:end] in self._text[a:b] for a, b in self.sentences)
                        runs.append((-held, end - at, part[at:end]))
                    at = end
        return names + [name for _, _, name in sorted(runs)[-1:]]

    def _share(self, numbers: set[int]) -> float:
        """Share of what is named that stands in one of some sentences."""
        return sum(bool(its & numbers) for its in self._names) / max(1, len(self._names))

    def _around(self, span: Span) -> tuple[float, float]:
        """Cover by the sentence and by the clause around a span, itself left out."""
        start, end = span
        number = self._number(start)
        beside = [(unit, a, b) for unit, a, b in self._found[number] if b <= start or a >= end]
        first = self._clauses[bisect_right([a for a, _ in self._clauses], start) - 1].start
        last = self._clauses[bisect_right([a for a, _ in self._clauses], end - 1) - 1].end
        return (
            self._sum({unit for unit, _, _ in beside}),
            self._sum({unit for unit, a, b in beside if first <= a and b <= last}),
        )
