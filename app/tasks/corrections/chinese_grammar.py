"""Words of a Chinese text that are missing, redundant or in the wrong order."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import rjieba

from app.languages.registry import LANGUAGES
from app.tasks.corrections.drawn import Drawing, single_tokens
from app.tasks.corrections.kinds import Kind
from app.tasks.corrections.listed import exactly
from models.confusions.characters import CHARACTERS, SIMPLIFIED, TRADITIONAL
from models.confusions.words import most_frequent, part_of_speech
from models.language.vocabulary import SpellingError, Vocabulary

DISTORTIONS: dict[Kind, float] = {
    "missing": -2.0,
    "redundant": -4.5,
    "reordered": -5.5,
    "function_word": -3.5,
    "punctuation": -3.5,
}
"""Log-weights of the kinds, in nats."""
HINTS: dict[Kind, float] = {
    "missing": 0.0,
    "redundant": 3.0,
    "reordered": 4.0,
    "function_word": 1.0,
    "punctuation": 0.0,
}
"""What pruning credits each with: what it gains shows only further on."""
INSERTABLE = 48
"""Function words that may be missing: the most frequent."""
LONGEST_REPEATED = 4
"""Characters written twice that are left out once."""
MARKS = "，。、"
"""Marks that are written for one another; the first may be missing."""
LONGEST_RUN = 2
"""Words in a row that change their place with others at most."""


class Grammar:
    """Draws arcs that put words in, leave words out or exchange them.

    Args:
        vocabulary: of the texts.
        kinds: that are looked for.
        longer_token: reward for each character of a token beyond one.
    """

    def __init__(self, vocabulary: Vocabulary, kinds: frozenset[Kind], longer_token: float) -> None:
        self._vocabulary, self._kinds, self._longer = vocabulary, kinds, longer_token
        self._function_words = LANGUAGES["zh"].function_words
        self._insertable = single_tokens(vocabulary, most_frequent(self._function_words)[:INSERTABLE])
        self._comma = single_tokens(vocabulary, MARKS[0]).get(MARKS[0])

    def draw(self, drawing: Drawing, text: str, kept: Sequence[tuple[int, int]], traditional: bool) -> None:
        """Put the arcs of a text into its drawing; what stands in ``kept`` stays together."""
        fixed = {place for start, stop in kept for place in range(start, stop)}
        fixed |= {place for place, character in enumerate(text) if character not in CHARACTERS}
        inside = {place for start, stop in kept for place in range(start + 1, stop)}
        edges = [0]
        for word in rjieba.cut(text):
            edges.append(edges[-1] + len(word))
        if "missing" in self._kinds:
            self._missing(drawing, [at for at in range(len(text)) if at not in inside], traditional)
        if "redundant" in self._kinds:
            self._redundant(drawing, text, fixed, set(edges))
        if "function_word" in self._kinds:
            self._function_word(drawing, text, fixed, edges, traditional)
        if "punctuation" in self._kinds:
            self._punctuation(drawing, text, inside)
        if "reordered" in self._kinds:
            self._reordered(drawing, text, fixed, edges)

    def _missing(self, drawing: Drawing, places: Sequence[int], traditional: bool) -> None:
        script = TRADITIONAL if traditional else SIMPLIFIED
        words = [(word, token) for word, token in self._insertable.items() if script.issuperset(word)]
        for at in places:
            for word, token in words:
                drawing.inserted(at, token, word, "missing", DISTORTIONS["missing"], 0.0, HINTS["missing"])

    def _redundant(self, drawing: Drawing, text: str, fixed: set[int], edges: set[int]) -> None:
        exact = exactly(text)
        for start in range(len(text)):
            for stop in range(start + 1, min(start + LONGEST_REPEATED, len(text) - 1) + 1):
                if stop - 1 in fixed:
                    break
                repeated = text.startswith(text[start:stop], stop)
                if not repeated and not (text[start:stop] in self._function_words and {start, stop} <= edges):
                    continue
                for token, after, _ in self._vocabulary.trie.spelled(exact, stop):
                    reward = self._longer * (len(after) - 1)
                    drawing.deleted(
                        start, stop, token, after, "redundant", DISTORTIONS["redundant"], reward, HINTS["redundant"]
                    )

    def _function_word(
        self, drawing: Drawing, text: str, fixed: set[int], edges: Sequence[int], traditional: bool
    ) -> None:
        script = TRADITIONAL if traditional else SIMPLIFIED
        for start, stop in pairwise(edges):
            old = text[start:stop]
            if old not in self._function_words or not fixed.isdisjoint(range(start, stop)):
                continue
            for new in self._insertable:
                if new != old and part_of_speech(new) == part_of_speech(old) and script.issuperset(new):
                    reward = self._longer * (len(old) - 1)  # as what is given has; what is put in has none
                    drawing.chain(
                        start, stop, new, "function_word", DISTORTIONS["function_word"], reward, HINTS["function_word"]
                    )

    def _punctuation(self, drawing: Drawing, text: str, inside: set[int]) -> None:
        comma = self._comma
        for at, character in enumerate(text):
            if comma is not None and at and character not in MARKS and text[at - 1] not in MARKS and at not in inside:
                drawing.inserted(
                    at, comma, MARKS[0], "punctuation", DISTORTIONS["punctuation"], 0.0, HINTS["punctuation"]
                )
            for mark in MARKS if character in MARKS else "":
                if mark != character:
                    drawing.chain(
                        at, at + 1, mark, "punctuation", DISTORTIONS["punctuation"], 0.0, HINTS["punctuation"]
                    )

    def _reordered(self, drawing: Drawing, text: str, fixed: set[int], edges: Sequence[int]) -> None:
        last = len(edges) - 1
        for first in range(last):
            for middle in range(first + 1, min(first + LONGEST_RUN, last) + 1):
                for end in range(middle + 1, min(middle + LONGEST_RUN, last) + 1):
                    start, between, stop = edges[first], edges[middle], edges[end]
                    old, new = text[start:stop], text[between:stop] + text[start:between]
                    if old != new and fixed.isdisjoint(range(start, stop)):
                        self._exchange(drawing, start, stop, new)

    def _exchange(self, drawing: Drawing, start: int, stop: int, new: str) -> None:
        with suppress(SpellingError):
            pieces = map(self._vocabulary.piece, self._vocabulary.spell(new))
            reward = sum(self._longer * (len(piece) - 1) for piece in pieces)
            drawing.chain(start, stop, new, "reordered", DISTORTIONS["reordered"], reward, HINTS["reordered"])
