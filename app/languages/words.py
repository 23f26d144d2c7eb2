"""Where words begin and end, by language, and how many units a sentence has."""

from __future__ import annotations

import re
from collections.abc import Callable

import rjieba

from samplers.constraints.length import characters, tokens
from samplers.constraints.words import Boundaries, segmented_boundaries, spaced_boundaries
from samplers.state import State

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
"""A written word: letters or digits, joined by apostrophes, hyphens or dots inside."""


def chinese_words(text: str) -> list[str]:
    """jieba's words, which concatenate to the text."""
    words: list[str] = rjieba.cut(text)
    return words


def boundaries(spaced: bool) -> Boundaries:
    """Word edges: of written words where words are spaced, else between jieba's words."""
    return spaced_boundaries if spaced else segmented_boundaries(chinese_words)


def count_words(text: str, spaced: bool) -> int:
    """Words of a text, punctuation not counted."""
    if spaced:
        return len(_WORD.findall(text))
    return sum(any(c.isalnum() for c in word) for word in chinese_words(text))


def count_characters(text: str) -> int:
    """Characters without white space."""
    return sum(not c.isspace() for c in text)


def measure(unit: str, spaced: bool) -> Callable[[State, str], int]:
    """The length of a state in a unit: characters, words or tokens."""
    if unit == "characters":
        return characters
    if unit == "tokens":
        return tokens
    return lambda state, text: count_words(text, spaced)
