"""Pieces of a text that are corrected side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SENTENCE = re.compile(r"(?:[^。！？!?\n.]|\.(?!\s))*(?:(?:[。！？!?\n]|\.(?=\s))[”’」』\"']?|$)")


def pieces_of(text: str, most: int) -> Iterator[tuple[int, str]]:
    """Where pieces of at most so many characters begin, and what they are: as many whole sentences as fit.

    A sentence that is too long is cut, where it can be before a space.
    """
    start = stop = 0
    for match in _SENTENCE.finditer(text):
        if match.end() - start > most and stop > start:
            yield start, text[start:stop]
            start = stop
        stop = match.end()
        while stop - start > most:
            space = text.rfind(" ", start + most // 2, start + most + 1)
            cut = start + most if space < 0 else space
            yield start, text[start:cut]
            start = cut
    if stop > start:
        yield start, text[start:stop]
