"""Nodes as numbers.

A node is a prefix of keys. It is told by the column (part of the key) where the prefix ends, the range
of entries that share it, and the depth within the column, its separator included. In column 0 an entry
is a distinct first part, in later columns a key; entries are sorted, so a prefix is one range.

A node with few entries is *narrow*: these four numbers, packed, are its number, and nothing of it is
stored. The others are *wide* and numbered 0, 1, 2, ...: what may follow them is stored.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NARROW = 1 << 62
"""The bit that tells narrow nodes from wide ones."""

MOST = 16
"""Entries of a narrow node, at most; more save memory and cost time."""

_FIRST, _WIDTH, _DEPTH = 32, 6, 16


@dataclass(frozen=True, slots=True)
class Nodes:
    """Unpacked nodes; all arrays have one length.

    Attributes:
        column: where the prefix ends.
        first: first entry.
        last: entry after the last one.
        depth: tokens of the prefix in this column.
    """

    column: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    depth: NDArray[np.int64]

    def pack(self) -> NDArray[np.int64]:
        """The numbers of narrow nodes."""
        width = self.last - self.first - 1
        return NARROW | self.first | (width | (self.depth | self.column << _DEPTH) << _WIDTH) << _FIRST

    @classmethod
    def unpack(cls, numbers: NDArray[np.int64]) -> Nodes:
        """The inverse of :meth:`pack`."""
        first = numbers & ((1 << _FIRST) - 1)
        rest = numbers >> _FIRST
        width = (rest & ((1 << _WIDTH) - 1)) + 1
        rest >>= _WIDTH
        column = (rest >> _DEPTH) & ((1 << 62 - _FIRST - _WIDTH - _DEPTH) - 1)
        return cls(column, first, first + width, rest & ((1 << _DEPTH) - 1))

    def take(self, which: NDArray[np.int64] | NDArray[np.bool_]) -> Nodes:
        """Some of them."""
        return Nodes(self.column[which], self.first[which], self.last[which], self.depth[which])

    @classmethod
    def concatenate(cls, several: list[Nodes]) -> Nodes:
        """One after another."""
        return cls(
            np.concatenate([one.column for one in several]),
            np.concatenate([one.first for one in several]),
            np.concatenate([one.last for one in several]),
            np.concatenate([one.depth for one in several]),
        )
