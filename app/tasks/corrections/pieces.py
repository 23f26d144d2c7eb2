"""Pieces of a text that are corrected side by side."""

from __future__ import annotations

import re
from collections.abc import Iterator

PIECE_CHARACTERS = 128
"""Most characters of a piece: keys and values are kept of every reading of it."""

_SENTENCE = re.compile(r"[^。！？!?\n]*(?:[。！？!?\n][”’」』\"']?|$)")


def pieces_of(text: str) -> Iterator[tuple[int, str]]:
    """Where pieces begin, and what they are: as many whole sentences as fit, one that is too long cut."""
    start = stop = 0
    for match in _SENTENCE.finditer(text):
        if match.end() - start > PIECE_CHARACTERS and stop > start:
            yield start, text[start:stop]
            start = stop
        stop = match.end()
        while stop - start > PIECE_CHARACTERS:
            yield start, text[start : start + PIECE_CHARACTERS]
            start += PIECE_CHARACTERS
    if stop > start:
        yield start, text[start:stop]
