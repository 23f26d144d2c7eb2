"""One error in a name, as a hurried writer makes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

MIN_LETTERS = 3
"""Characters of a name that may be misspelt: one character of two says too little."""


def one_error(a: str, b: str) -> bool:
    """Whether one character replaced, inserted or left out, or two neighbours swapped, makes b of a."""
    if a == b or abs(len(a) - len(b)) > 1:
        return False
    at = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    rest_a, rest_b = a[at:], b[at:]
    if len(a) != len(b):
        return rest_a[1:] == rest_b or rest_a == rest_b[1:]
    return rest_a[1:] == rest_b[1:] or (rest_a[:2] == rest_b[1::-1] and rest_a[2:] == rest_b[2:])


def misspelt_span(name: str, text: str) -> str:
    """The first span of a text that is one error away from a name of some length; "" if there is none."""
    if len(name) < MIN_LETTERS:
        return ""
    for start in range(len(text)):
        for size in (len(name), len(name) + 1, len(name) - 1):
            if start + size <= len(text) and one_error(text[start : start + size], name):
                return text[start : start + size]
    return ""


def misspell(name: str, letters: Sequence[str], rng: np.random.Generator) -> str:
    """Replace, insert, delete or swap one character; never the name itself, never empty.

    ``name`` has at least one character; ``letters``, written instead, are at least two different ones.
    """
    while True:
        at = int(rng.integers(len(name)))
        letter = letters[int(rng.integers(len(letters)))]
        kind = rng.integers(4)
        if kind == 0:
            other = name[:at] + letter + name[at + 1 :]
        elif kind == 1:
            other = name[:at] + letter + name[at:]
        elif kind == 2:
            other = name[:at] + name[at + 1 :]
        else:
            other = name[:at] + name[at : at + 2][::-1] + name[at + 2 :]
        if other and other != name:
            return other
