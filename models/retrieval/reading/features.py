"""What can be seen of the spans that may answer a question without asking a model."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Collection, Sequence
from functools import cached_property
from itertools import pairwise

import numpy as np
import regex
from numpy.typing import NDArray

from models.retrieval.reading.form import Form
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
    "topic",
    "clause",
    "left",
    "right",
    "glued",
    "crosses",
    "clauses",
    "left_asked",
    "right_asked",
    "left_outer",
    "right_outer",
    "capitals",
    "turns",
    "mixed",
    "falls",
    "edges",
    "gap",
    "repeated",
    "name",
)
"""Names of the columns that :meth:`Sight.columns` gives.

length, length_squared: logarithm of its characters, and the square of that.
asked: share of its characters that are of the question's units.
outer: whether it begins or ends with a word that asks or only holds a sentence together.
sentence: cover of the question by the sentence around it, itself left out.
best_sentence: whether no sentence covers more, itself included.
before: what the three sentences before cover besides.
named: share of what the question names that stands in the sentence; named_before: in the three before, if not in it.
topic: as named, or of the sentence before if this one refers to what was named there.
clause: cover by the clause around it, itself left out.
left, right: whether nothing or a mark stands beside it there.
glued: at how many of its ends a mark between the parts of a word stands, such as that of Asia/Tokyo.
crosses: whether a sentence ends within it; clauses: whether a clause does.
left_asked, right_asked: whether a unit of the question does.
left_outer, right_outer: whether a word that asks or only holds a sentence together does.
capitals: how many words beside it begin with a capital letter and do not only hold a sentence together.
turns: at how many of its ends one way of writing meets another, such as Chinese and Latin letters; mixed: how often
within it.
falls: whether it begins with a small letter and has a capital or a symbol.
edges: how many of its ends are edges of words.
gap: logarithm of the characters to the nearest unit of the question in the sentence.
repeated: share of its units that other sentences have too.
name: whether it has a capital letter or a symbol.

What a question names are its words with a capital letter, the first aside, and, of scripts that write none apart, the
longest piece between words that ask which the passage has, one that owns something before others; each counts by how
few sentences have it. Units are words, of such scripts single characters and pairs; cover is the share of the
question's units, those left out that ask, each by how few sentences of the passage have it.
"""

FAR = 99
"""Gap to nothing, in characters."""

_PIECE = regex.compile(rf"(?V1)[{UNSPACED}]+|[[\p{{L}}\p{{M}}\p{{N}}]--[{UNSPACED}]]+|\p{{S}}+")
_UNSPACED_FIRST = regex.compile(rf"[{UNSPACED}]")
_PART = regex.compile(r"(?:[^\s\p{P}]|[()·-])+")
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


def _kind(character: str) -> str:
    """What a character is written with: a script without spaces, other letters, symbols, or nothing of these."""
    if _UNSPACED_FIRST.match(character):
        return "unspaced"
    if character.isalnum() or unicodedata.category(character)[0] == "M":
        return "letter"
    return "symbol" if unicodedata.category(character)[0] == "S" else ""


class Sight:
    """A passage and a question side by side.

    Args:
        passage: as given.
        question: about it.
        form: of their language.
    """

    def __init__(self, passage: str, question: str, form: Form) -> None:
        self.passage, self.question, self.asking = passage, question, form.asking
        # Character by character, so that places stay; what has no such form is its own.
        self._text = "".join(low if len(low := key_text(c).lower()) == 1 else c for c in passage)
        self.sentences, self._clauses = sentences_of(passage), clauses_of(passage)
        self._starts = [start for start, _ in self.sentences]
        self._clause_starts = [start for start, _ in self._clauses]
        self._edges = frozenset(form.edges(passage))
        asked = units(question, form.asking)
        held: list[set[str]] = [set() for _ in self.sentences]
        self._found: list[list[tuple[str, int, int]]] = [[] for _ in self.sentences]
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
            for name in self._named(form)
        ]
        self._rarities = [math.log1p((1 + len(held)) / (1 + len(its))) for its in self._names]
        refers = self._places(form.referring)
        self._topics: list[float] = []
        for number, (a, b) in enumerate(self.sentences):
            own = self._share({number})
            self._topics.append(max(own, self._topics[-1] if number and refers[a:b].any() else 0.0))
        self._kinds = [_kind(c) for c in passage]
        self._marked = np.zeros(len(passage) + 1, dtype=np.bool_)
        for found in self._found:
            for unit, start, end in found:
                self._marked[start:end] |= len(unit) > 1 or not _UNSPACED_FIRST.match(unit)
        self._holding = self._places(form.asking)

    @cached_property
    def told(self) -> float:
        """Cover of the question by the whole passage, 0 to 1."""
        return self._sum({unit for found in self._found for unit, _, _ in found})

    @cached_property
    def known(self) -> float:
        """Share of what the question names that the passage has, 0 to 1."""
        return self._share(set(range(len(self.sentences))))

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
            self._topics[number],
            clause,
            not (inside[0] and self.passage[left].isalnum()),
            not (inside[1] and self.passage[right].isalnum()),
            self._glues(start - 1) + self._glues(end),
            end > self.sentences[number].end,
            self._clause(start) != self._clause(end - 1),
            inside[0] and bool(self._marked[left]),
            inside[1] and bool(self._marked[right]),
            inside[0] and bool(self._holding[left]),
            inside[1] and bool(self._holding[right]),
            (inside[0] and start - left < 3 and self._capital(left))
            + (inside[1] and right - end < 2 and self._capital(right)),
            self._turn(start - 1) + self._turn(end - 1),
            sum(a != b for a, b in pairwise(kind for kind in self._kinds[start:end] if kind)),
            bool(text[0].islower() and _NAME.search(text)),
            (start in self._edges) + (end in self._edges),
            math.log1p(min(gaps, default=FAR)),
            len(mine & self._common) / max(1, len(mine)),
            _NAME.search(text) is not None,
        )

    def _places(self, words: Collection[str]) -> NDArray[np.bool_]:
        """Which characters of the passage are of one of some words."""
        found = np.zeros(len(self.passage) + 1, dtype=np.bool_)
        for word in words:
            border = "" if _UNSPACED_FIRST.match(word) else r"\b"
            for match in regex.finditer(rf"{border}{regex.escape(word)}{border}", self._text):
                found[match.start() : match.end()] = True
        return found

    def _glues(self, at: int) -> bool:
        """Whether a symbol stands at a place, or a mark that holds what stands before and after it together."""
        if not 0 <= at < len(self.passage) or not _GLUE.match(self.passage[at]):
            return False
        beside = self.passage[max(0, at - 1) : at] + self.passage[at + 1 : at + 2]
        return unicodedata.category(self.passage[at])[0] == "S" or len(beside.replace(" ", "")) == 2

    def _turn(self, at: int) -> bool:
        """Whether letters of one kind meet those of another after a place."""
        if not 0 <= at < len(self.passage) - 1:
            return False
        kinds = self._kinds[at], self._kinds[at + 1]
        return all(kinds) and kinds[0] != kinds[1]

    def _capital(self, at: int) -> bool:
        """Whether the word around a place begins with a capital letter and does not only hold a sentence together."""
        if self._kinds[at] != "letter" or self._holding[at]:
            return False
        while at > 0 and self._kinds[at - 1] == "letter":
            at -= 1
        return self.passage[at].isupper()

    def _clause(self, at: int) -> int:
        """The number of the clause around a place."""
        return bisect_right(self._clause_starts, at) - 1

    def _number(self, at: int) -> int:
        return bisect_right(self._starts, at) - 1

    def _sum(self, covered: Collection[str]) -> float:
        return sum(self._weights[unit] for unit in covered)

    def _before(self, number: int) -> float:
        near = {unit for found in self._found[max(0, number - 3) : number] for unit, _, _ in found}
        return self._sum(near - {unit for unit, _, _ in self._found[number]})

    def _named(self, form: Form) -> list[str]:
        """What the question names, in lower case."""
        text = key_text(self.question)
        words = [match for match in _PIECE.finditer(text) if not _UNSPACED_FIRST.match(match[0])]
        names = [
            word[0].lower()
            for word in words
            if word[0] != word[0].lower()
            and (word.start() or (word[0] in self.passage and word[0].lower() not in form.asking))
        ]
        if not _UNSPACED_FIRST.search(text):
            return names
        text = kept = text.lower()
        for word in form.asking:
            kept = kept.replace(word, " " * len(word))
        parts = list(_PART.finditer(kept))
        owners = [part.start() for part in parts if form.owning and text.startswith(form.owning, part.end())]
        found = [
            (part.start() in owners[:1], len(run) if run in self._text else 0, -part.start(), run)
            for part in parts
            for run in self._runs(part[0])
        ]
        return [*names, max(found)[-1]] if found else names

    def _runs(self, part: str) -> list[str]:
        """The longest pieces of a part, from left to right, that stand in the passage; the part itself if none does."""
        runs, at = [], 0
        while at < len(part):
            end = at + 1
            while end < len(part) and part[at : end + 1] in self._text:
                end += 1
            if end - at > 1:
                runs.append(part[at:end])
            at = end
        return runs or [part]

    def _share(self, numbers: set[int]) -> float:
        """Share of what is named that stands in one of some sentences."""
        told = sum(rare for its, rare in zip(self._names, self._rarities, strict=True) if its & numbers)
        return told / (sum(self._rarities) or 1)

    def _around(self, span: Span) -> tuple[float, float]:
        """Cover by the sentence and by the clause around a span, itself left out."""
        start, end = span
        number = self._number(start)
        beside = [(unit, a, b) for unit, a, b in self._found[number] if b <= start or a >= end]
        first, last = self._clauses[self._clause(start)].start, self._clauses[self._clause(end - 1)].end
        return (
            self._sum({unit for unit, _, _ in beside}),
            self._sum({unit for unit, a, b in beside if first <= a and b <= last}),
        )
