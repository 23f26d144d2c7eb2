"""English words by their spelling: a frequency list and its search by edit distance, of symspellpy (MIT)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from symspellpy import SymSpell, Verbosity

DISTANCE = 2
"""Letters put in, left out, changed or exchanged with their neighbour, at most."""
COMMON = 2_000_000
"""Occurrences from which on a word is common."""
LEAST = 10_000
"""Occurrences under which a word of the list is rather a slip than meant."""


@cache
def _index() -> SymSpell:
    index = SymSpell(DISTANCE)
    index.load_dictionary(str(files("symspellpy") / "frequency_dictionary_en_82_765.txt"), 0, 1)
    return index


@cache
def known(word: str) -> bool:
    """Whether a word in small letters is in the list."""
    return _count(word) >= LEAST


def _count(word: str) -> int:
    return int(_index().words.get(word, 0))


@lru_cache(maxsize=20_000)
def spelled_alike(word: str, distance: int, most: int) -> tuple[str, ...]:
    """Words spelled much like one in small letters, itself left out: the nearest first, then the most frequent."""
    found = _index().lookup(word, Verbosity.ALL, distance)
    return tuple(each.term for each in found if each.term != word and each.count >= LEAST)[:most]


@lru_cache(maxsize=20_000)
def common_alike(word: str, most: int) -> tuple[str, ...]:
    """Common words one letter apart from a word in small letters, the most frequent first."""
    found = _index().lookup(word, Verbosity.ALL, 1)
    return tuple(each.term for each in found if each.term != word and each.count >= COMMON)[:most]


def split(word: str) -> Iterator[str]:
    """The ways to write a word as two common ones."""
    for at in range(1, len(word)):
        if min(_count(word[:at]), _count(word[at:])) >= 10 * COMMON:
            yield f"{word[:at]} {word[at:]}"
