"""Sequences of different lengths in one flat array."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Ragged:
    """n token sequences; sequence i is ``tokens[starts[i]:starts[i + 1]]``."""

    tokens: NDArray[np.uint32]  # (N,)
    starts: NDArray[np.int64]  # (n + 1,)

    @classmethod
    def of(cls, sequences: Sequence[Sequence[int]]) -> Ragged:
        """Pack sequences."""
        lengths = np.fromiter(map(len, sequences), np.int64, len(sequences))
        starts = starts_of(lengths)
        return cls(np.fromiter(chain.from_iterable(sequences), np.uint32, int(starts[-1])), starts)

    @classmethod
    def concatenate(cls, several: Iterable[Ragged]) -> Ragged:
        """The sequences of several, one after another."""
        several = list(several)
        tokens = [np.asarray(one.tokens, np.uint32) for one in several]
        lengths = [one.lengths for one in several]
        return cls(
            np.concatenate(tokens or [np.empty(0, np.uint32)]),
            starts_of(np.concatenate(lengths or [np.empty(0, np.int64)])),
        )

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(n,) tokens of each sequence."""
        return np.diff(self.starts)

    def take(self, which: NDArray[np.int64]) -> Ragged:
        """The sequences of these numbers, in this order."""
        lengths = self.lengths[which]
        return Ragged(self.tokens[spread(self.starts[:-1][which], lengths)], starts_of(lengths))

    def contains(self, token: int) -> NDArray[np.bool_]:
        """(n,) whether a token occurs in each sequence."""
        found = np.zeros(len(self), np.bool_)
        at = np.flatnonzero(self.tokens == token)
        found[np.searchsorted(self.starts, at, side="right") - 1] = True
        return found


def starts_of(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """(n + 1,) where each of n sequences begins, and where the last one ends."""
    starts = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=starts[1:])
    return starts


def spread(first: NDArray[Any], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """The numbers ``first[i], first[i] + 1, ...`` (``lengths[i]`` of them) for each i, end to end."""
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    numbers: NDArray[np.int64] = np.arange(total) + np.repeat(first - (ends - lengths), lengths)
    return numbers
