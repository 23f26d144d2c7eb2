"""Nodes as numbers.

A node is a prefix of keys: the column (part of the key) where the prefix ends, the range of entries
that share it, and the depth within the column, its separator included. In column 0 an entry
is a distinct first part, in later columns a key; entries are sorted, so a prefix is one range.

A node with few entries is *narrow*: these four numbers, packed, are its number, and nothing of it is
stored. The others are *wide* and numbered 0, 1, 2, ...: their successors are stored.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.storage import load_arrays, narrowed, save_arrays

NARROW_BIT = 1 << 62
"""The bit that marks narrow nodes."""

MAX_NARROW = 16
"""Entries of a narrow node, at most; more save memory and cost time."""

_FIRST, _WIDTH, _DEPTH = 32, 6, 16


@dataclass(frozen=True, slots=True)
class Nodes:
    """Unpacked nodes; all arrays have one length."""

    column: NDArray[np.int64]  # where the prefix ends
    first: NDArray[np.int64]  # first entry
    last: NDArray[np.int64]  # entry after the last one
    depth: NDArray[np.int64]  # tokens of the prefix in this column

    def pack(self) -> NDArray[np.int64]:
        """The numbers of narrow nodes."""
        width = self.last - self.first - 1
        return NARROW_BIT | self.first | (width | (self.depth | self.column << _DEPTH) << _WIDTH) << _FIRST

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
        names = ("column", "first", "last", "depth")
        return cls(*(np.concatenate([getattr(one, name) for one in several]) for name in names))


@dataclass(frozen=True, slots=True)
class WideNodes:
    """W nodes with stored successors; those of node w lie at ``starts[w]:starts[w + 1]``. The root is node 0."""

    starts: NDArray[np.int64]  # (W + 1,)
    tokens: NDArray[np.uint32]  # (N,) next tokens, ascending within a node
    children: NDArray[np.int64]  # (N,) the nodes that they lead to
    final: NDArray[np.bool_]  # (W,) whether a key ends at the node
    first: NDArray[np.uint32]  # (W,) first key below the node
    last: NDArray[np.uint32]  # (W,) key after the last one
    begin_keys: NDArray[np.uint32]  # (C,) ascending; first keys of nodes 1 to C, which begin column 1

    def save(self, folder: Path) -> None:
        """Write the files that :meth:`load` maps."""
        arrays = {field.name: getattr(self, field.name) for field in fields(self)}
        save_arrays(folder, "wide", {**arrays, "tokens": narrowed(self.tokens)})

    @classmethod
    def load(cls, folder: Path) -> WideNodes:
        """Map the nodes of an index."""
        return cls(**load_arrays(folder, "wide", [field.name for field in fields(cls)]))
