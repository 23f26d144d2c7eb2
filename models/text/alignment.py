"""Alignment: where the characters of a text's normal form stand in the text as it was given."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from models.text.normalisation import normalise, normalise_name

_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class AlignedText:
    """A text in the normal form of a name, each character with its origin.

    Attributes:
        given: the text as given.
        normal: :func:`models.text.normalisation.normalise_name` of it.
        starts, stops: of each character of ``normal``, the characters of ``given`` that it comes from: from ``starts``
            to before ``stops``.
    """

    given: str
    normal: str
    starts: tuple[int, ...]
    stops: tuple[int, ...]

    @classmethod
    def of(cls, given: str) -> AlignedText:
        """Align a text."""
        normal = normalise_name(given)
        if normal == given:
            return cls(given, given, tuple(range(len(given))), tuple(range(1, len(given) + 1)))
        characters: list[str] = []
        starts: list[int] = []
        stops: list[int] = []
        for start, stop in _pieces(given):
            seen = stop  # what cannot be seen at a piece's end is of no character
            while seen - 1 > start and not normalise(given[seen - 1]):
                seen -= 1
            for character in normalise(given[start:stop]):
                space = character.isspace()
                if not space or (characters and characters[-1] != " "):
                    characters.append(" " if space else character)
                    starts.append(start)
                    stops.append(seen)
        if characters and characters[-1] == " ":
            del characters[-1], starts[-1], stops[-1]
        assert "".join(characters) == normal, "a text's pieces have other normal forms than the text"
        return cls(given, normal, tuple(starts), tuple(stops))

    def span(self, start: int, stop: int) -> tuple[int, int]:
        """Where characters ``start`` to before ``stop`` of the normal form, at least one, stand in the given text."""
        return self.starts[start], self.stops[stop - 1]


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    """Pieces of a text, from left to right, whose normal forms joined are that of the text, white space aside."""
    start = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or not _is_bound(text, start, at):
            yield start, at
            start = at


def _is_bound(text: str, start: int, at: int) -> bool:
    """Whether a character belongs to the piece before it: they compose, are one line's end, or something joins them."""
    before, character = text[at - 1], text[at]
    if before.isascii() and character.isascii():
        return before == "\r" and character == "\n"
    if before in _JOINERS or character in _JOINERS or unicodedata.combining(character) or not normalise(character):
        return True
    return normalise(text[start : at + 1]) != normalise(text[start:at]) + normalise(character)
