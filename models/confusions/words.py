"""Chinese words, by jieba's dictionary (MIT): which characters make a word of those around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import marisa_trie

LEAST_COUNT = 3
"""Occurrences in its corpus from which on the dictionary's word is taken for one."""
LONGEST = 4
"""Characters of the longest words looked at."""
_OPEN = "*"


class Lexicon:
    """Words of two to :data:`LONGEST` characters, found by all their characters but one.

    Args:
        words: the words.
    """

    def __init__(self, words: Iterator[str]) -> None:
        self._fitting = marisa_trie.BytesTrie(
            (f"{word[:at]}{_OPEN}{word[at + 1 :]}", character.encode())
            for word in words
            for at, character in enumerate(word)
        )

    def completing(self, text: str, at: int) -> frozenset[str]:
        """Characters that at a place of a text make a word together with some that stand beside it."""
        found = set[bytes]()
        for start in range(max(0, at - LONGEST + 1), at + 1):
            for stop in range(max(start + 2, at + 1), min(start + LONGEST, len(text)) + 1):
                found.update(self._fitting.get(f"{text[start:at]}{_OPEN}{text[at + 1 : stop]}", ()))
        return frozenset(each.decode() for each in found)


@cache
def _dictionary() -> Mapping[str, int]:
    """Occurrences of the dictionary's words in its corpus."""
    spec = find_spec("jieba")
    assert spec is not None and spec.origin is not None
    lines = (Path(spec.origin).parent / "dict.txt").read_text(encoding="utf-8").splitlines()
    return {word: int(count) for word, count, _ in (line.split(" ") for line in lines)}


def count_of(word: str) -> int:
    """Occurrences of a word in the dictionary's corpus; 0 if it is no word of the dictionary."""
    return _dictionary().get(word, 0)


@cache
def corpus_size() -> int:
    """Occurrences of all its words."""
    return sum(_dictionary().values())


def most_frequent(words: Iterable[str]) -> list[str]:
    """Words, the most frequent first."""
    return sorted(words, key=lambda word: (-count_of(word), word))


@cache
def lexicon() -> Lexicon:
    """That of jieba's dictionary."""
    return Lexicon(word for word, count in _dictionary().items() if 2 <= len(word) <= LONGEST and count >= LEAST_COUNT)
