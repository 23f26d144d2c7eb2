"""English words by their spelling: the frequency list of symspellpy (MIT), searched by rapidfuzz's edit distance."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, lru_cache
from importlib.resources import files

from rapidfuzz import process
from rapidfuzz.distance import OSA

COMMON = 2_000_000
"""Occurrences from which on a word is common."""
LEAST = 10_000
"""Occurrences under which a word of the list is rather a slip than meant."""


@cache
def _counts() -> dict[str, int]:
    """Occurrences by word in small letters."""
    text = (files("symspellpy") / "frequency_dictionary_en_82_765.txt").read_text("utf-8-sig")
    return {word: int(count) for word, _, count in (line.partition(" ") for line in text.splitlines() if line)}


@cache
def _words(least: int) -> list[str]:
    """Words that occur so often, the most frequent first."""
    found = [(count, word) for word, count in _counts().items() if count >= least]
    return [word for _, word in sorted(found, key=lambda each: -each[0])]


@cache
def known(word: str) -> bool:
    """Whether a word in small letters is in the list."""
    return _count(word) >= LEAST


def _count(word: str) -> int:
    return _counts().get(word, 0)


@lru_cache(maxsize=20_000)
def spelled_alike(word: str, distance: int, most: int) -> tuple[str, ...]:
    """Words spelled much like one in small letters, itself left out: the nearest first, then the most frequent.

    The distance counts letters put in, left out, changed or exchanged with their neighbour.
    """
    return _near(word, distance, most, LEAST)


@lru_cache(maxsize=20_000)
def common_alike(word: str, most: int) -> tuple[str, ...]:
    """Common words one letter apart from a word in small letters, the most frequent first."""
    return _near(word, 1, most, COMMON)


def _near(word: str, distance: int, most: int, least: int) -> tuple[str, ...]:
    words = _words(least)
    found = process.extract(word, words, scorer=OSA.distance, score_cutoff=distance, limit=None)
    ordered = sorted((apart, place, near) for near, apart, place in found if near != word)
    return tuple(near for _, _, near in ordered[:most])


def split(word: str) -> Iterator[str]:
    """The ways to write a word as two common ones."""
    for at in range(1, len(word)):
        if min(_count(word[:at]), _count(word[at:])) >= 10 * COMMON:
            yield f"{word[:at]} {word[at:]}"
