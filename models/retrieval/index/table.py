"""Compiled keys: each distinct part once, and a key as a row of part numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.nodes import Nodes
from models.retrieval.index.ragged import Ragged, spread
from models.retrieval.index.storage import load_arrays, narrowed, save_arrays

_ARRAYS = ("tokens", "starts", "cells", "entries", "bases")


@dataclass(frozen=True, slots=True)
class Successors:
    """Successors of a batch of nodes."""

    owner: NDArray[np.int64]  # (N,) place in the batch, ascending
    tokens: NDArray[np.int64]  # (N,) ascending within an owner
    nodes: Nodes  # (N,) where each token leads
    final: NDArray[np.bool_]  # (B,) whether a key ends at the node


@dataclass(frozen=True)
class KeyTable:
    """Sorted keys of E distinct first parts, in flat arrays.

    Keys share prefixes of first parts, up to where a prefix is narrow, and every part of a later
    column as a whole. Parts lie end to end, those of column 1 first, then column 2 and so on, and
    column 0 at the end; each column is sorted, a part closed by its separator.
    """

    key_format: KeyFormat
    tokens: NDArray[np.uint32]  # of all parts
    starts: NDArray[np.uint32]  # (parts + 1,) where each part begins
    cells: NDArray[np.uint32]  # (keys, columns - 1) part numbers
    entries: NDArray[np.uint32] | None  # (E + 1,) first key of each first part; None with one column, where they agree
    bases: NDArray[np.int64]  # (columns,) number of a column's first part

    def save(self, folder: Path) -> None:
        """Write the files that :meth:`load` maps."""
        arrays = {name: getattr(self, name) for name in _ARRAYS if getattr(self, name) is not None}
        save_arrays(folder, "key", {**arrays, "tokens": narrowed(self.tokens)})

    @classmethod
    def load(cls, folder: Path, key_format: KeyFormat) -> KeyTable:
        """Map the keys of an index."""
        arrays = load_arrays(folder, "key", [name for name in _ARRAYS if name != "entries"])
        return cls(key_format, **arrays, entries=load_arrays(folder, "key", ["entries"], optional=True).get("entries"))

    @cached_property
    def closing(self) -> NDArray[np.int64]:
        """The separators, and -1 for the end, one after another."""
        separators = self.key_format.separators
        return np.array([*(token for tokens in separators for token in tokens), -1], np.int64)

    @cached_property
    def closing_starts(self) -> NDArray[np.int64]:
        """(columns + 1,) where each separator begins in :attr:`closing`."""
        return np.cumsum([0, *map(len, self.key_format.separators), 1], dtype=np.int64)

    @property
    def keys(self) -> int:
        """Number of keys."""
        return len(self.cells)

    @property
    def columns(self) -> int:
        """Parts of a key."""
        return len(self.bases)

    def successors(self, nodes: Nodes) -> Successors:
        """Group the entries of each node by their next token: work proportional to the entries."""
        width = nodes.last - nodes.first
        owner = np.repeat(np.arange(len(width)), width)
        entry = spread(nodes.first, width)
        column, depth = nodes.column[owner], nodes.depth[owner]
        part = self.parts(column, entry)
        begin = self.starts[part].astype(np.int64)
        past = depth - (self.starts[part + 1] - begin)
        inside = past < 0
        token = self.closing[self.closing_starts[column] + np.maximum(past, 0)]
        token[inside] = self.tokens[(begin + depth)[inside]]

        new = np.ones(len(token), np.bool_)
        new[1:] = (token[1:] != token[:-1]) | (owner[1:] != owner[:-1])
        runs = np.flatnonzero(new)
        ends = np.append(runs, len(token))[1:] - 1
        final = np.zeros(len(width), np.bool_)
        ended = token[runs] < 0
        if ended.any():
            final[owner[runs[ended]]] = True
            runs, ends = runs[~ended], ends[~ended]

        column, depth = column[runs], depth[runs] + 1
        first, last = entry[runs], entry[ends] + 1
        crossed = past[runs] + 1 == (self.closing_starts[1:] - self.closing_starts[:-1])[column]
        if crossed.any():
            if self.entries is not None:
                leaves = crossed & (column == 0)
                first[leaves], last[leaves] = self.entries[first[leaves]], self.entries[last[leaves]]
            column = column + crossed
            depth[crossed] = 0
        return Successors(owner[runs], token[runs], Nodes(column, first, last, depth), final)

    def parts(self, column: NDArray[np.int64], entry: NDArray[np.int64]) -> NDArray[np.int64]:
        """The part number of entries in their columns."""
        part: NDArray[np.int64] = entry + self.bases[0]
        later = column > 0
        if later.any():
            part[later] = self.cells.reshape(-1)[entry[later] * (self.columns - 1) + column[later] - 1]
        return part

    def column(self, column: int) -> NDArray[np.int64]:
        """(keys,) each key's part, counted from the column's first."""
        if column:
            later: NDArray[np.int64] = self.cells[:, column - 1] - self.bases[column]
            return later
        if self.entries is None:
            return np.arange(self.keys)
        return np.repeat(np.arange(len(self.entries) - 1), np.diff(self.entries))

    def column_parts(self, column: int) -> Ragged:
        """The distinct parts of a column, sorted."""
        first, stop = self.bounds(column)
        starts = self.starts[first : stop + 1].astype(np.int64)
        return Ragged(self.tokens[int(starts[0]) : int(starts[-1])].astype(np.uint32), starts - starts[0])

    def part(self, number: int) -> tuple[int, ...]:
        """The tokens of a part."""
        return tuple(self.tokens[int(self.starts[number]) : int(self.starts[number + 1])].tolist())

    def key_span(self, nodes: Nodes) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """First key below each node, and the one after the last."""
        if self.entries is None:
            return nodes.first, nodes.last
        start = nodes.column == 0
        return (
            np.where(start, self.entries[np.where(start, nodes.first, 0)], nodes.first).astype(np.int64),
            np.where(start, self.entries[np.where(start, nodes.last, 0)], nodes.last).astype(np.int64),
        )

    @property
    def names(self) -> int:
        """E, the number of distinct first parts."""
        return len(self.starts) - 1 - int(self.bases[0])

    def name(self, number: int) -> tuple[int, ...]:
        """The tokens of a distinct first part, 0 to E - 1."""
        return self.part(int(self.bases[0]) + number)

    def row(self, number: int) -> list[tuple[int, ...]]:
        """The parts of a key."""
        entry = number if self.entries is None else int(np.searchsorted(self.entries, number, side="right")) - 1
        return [self.part(int(self.bases[0]) + entry), *(self.part(int(part)) for part in self.cells[number])]

    def find(self, parts: tuple[tuple[int, ...], ...]) -> int | None:
        """The number of the key of these parts, by binary search."""
        first, last = 0, self.keys
        for column, part in enumerate(parts):
            number = self.find_part(column, part)
            if number is None:
                return None
            if column:
                cells = self.cells[first:last, column - 1]
                low, high = np.searchsorted(cells, [number, number + 1])
                first, last = first + int(low), first + int(high)
            else:
                first = number - int(self.bases[0])
                last = first + 1
                if self.entries is not None:
                    first, last = int(self.entries[first]), int(self.entries[last])
            if first == last:
                return None
        return first

    def find_part(self, column: int, part: tuple[int, ...]) -> int | None:
        """The number of a part, or None."""
        end = int(self.closing[self.closing_starts[column]])
        closed = (*part, end)
        low, stop = self.bounds(column)
        high = stop
        while low < high:
            middle = (low + high) // 2
            if (*self.part(middle), end) < closed:
                low = middle + 1
            else:
                high = middle
        return low if low < stop and (*self.part(low), end) == closed else None

    def bounds(self, column: int) -> tuple[int, int]:
        """Numbers of a column's first part, and after its last one."""
        stop = len(self.starts) - 1 if column == 0 else int(self.bases[(column + 1) % self.columns])
        return int(self.bases[column]), stop
