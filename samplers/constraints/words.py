"""Word boundaries of a text, for keyword and forbidden-word tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

Boundaries = Callable[[str], frozenset[int]]
"""Maps a text to the character offsets at which a word may begin or end."""

_LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+(?:[.,:/]\d+)*")
"""A run of letters, or a number with the marks between its digits: 3.5, 10:30, 24/7."""


def spaced_boundaries(text: str) -> frozenset[int]:
    """Offsets that do not cut a run of letters or a number: for scripts that space their words."""
    inside = {i for match in _LETTERS.finditer(text) for i in range(match.start() + 1, match.end())}
    return frozenset(range(len(text) + 1)) - inside


def segmented_boundaries(segment: Callable[[str], Iterable[str]]) -> Boundaries:
    """Offsets between the words of a segmenter (jieba's ``cut``, say), for scripts without spaces.

    Raises:
        ValueError: when called, if the segmenter's words do not concatenate to the text.
    """

    def boundaries(text: str) -> frozenset[int]:
        offsets = [0]
        for word in segment(text):
            offsets.append(offsets[-1] + len(word))
        if offsets[-1] != len(text):
            raise ValueError(f"segmenter covered {offsets[-1]} of {len(text)} characters")
        return frozenset(offsets)

    return boundaries


def occurrences(word: str, text: str, boundaries: frozenset[int]) -> Iterator[tuple[int, int]]:
    """Spans at which ``word`` stands as whole words of ``text``: both its edges are boundaries."""
    start = text.find(word)
    while start >= 0:
        stop = start + len(word)
        if start in boundaries and stop in boundaries:
            yield start, stop
        start = text.find(word, start + 1)
