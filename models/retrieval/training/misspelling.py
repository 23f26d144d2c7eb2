"""One random error in a name, as a hurried writer makes it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


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
