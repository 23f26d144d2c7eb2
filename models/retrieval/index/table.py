"""The compiled keys: each distinct part once, and a key as a row of part numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.nodes import Nodes
from models.retrieval.index.ragged import Ragged, spread


@dataclass(frozen=True, slots=True)
class Successors:
    """What follows a batch of nodes.

    Attributes:
        owner: (N,) place in the batch, ascending.
        tokens: (N,) ascending within an owner.
        nodes: (N,) what each token leads to.
        final: (B,) whether a key ends at the node.
    """

    owner: NDArray[np.int64]
    tokens: NDArray[np.int64]
    nodes: Nodes
    final: NDArray[np.bool_]


@dataclass(frozen=True)
class KeyTable:
    """Sorted keys of E distinct first parts, in flat arrays.

    What is shared: prefixes of first parts, up to where a prefix is narrow; and every part of a later
    column, whole, by all keys that hold it. Parts lie end to end, those of column 1 first, then column
    2 and so on, and column 0 at the end; each column is sorted, a part closed by its separator.

    Attributes:
        tokens: tokens of all parts.
        starts: (parts + 1,) where each part begins.
        cells: (keys, columns - 1) part numbers.
        entries: (E + 1,) first key of each distinct first part; None with one column, where they agree.
        bases: (columns,) number of a column's first part.
        closing: the separators and -1 for the end, one after another.
        closing_starts: (columns + 1,) where each begins.
        keys: how many.
    """

    tokens: NDArray[np.uint32]
    starts: NDArray[np.uint32]
    cells: NDArray[np.uint32]
    entries: NDArray[np.uint32] | None
    bases: NDArray[np.int64]
    closing: NDArray[np.int64]
    closing_starts: NDArray[np.int64]
    keys: int

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
        starts = self.starts[int(self.bases[column]) : self._stop(column) + 1].astype(np.int64)
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
        """E."""
        return len(self.starts) - 1 - int(self.bases[0])

    def name(self, number: int) -> tuple[int, ...]:
        """The tokens of a distinct first part, 0 to E - 1."""
        return self.part(int(self.bases[0]) + number)

    def row(self, number: int) -> list[tuple[int, ...]]:
        """The parts of a key."""
        entry = number if self.entries is None else int(np.searchsorted(self.entries, number, side="right")) - 1
        return [self.part(int(self.bases[0]) + entry), *(self.part(int(part)) for part in self.cells[number])]

    def find(self, parts: tuple[tuple[int, ...], ...], key_format: KeyFormat) -> int | None:
        """The number of the key of these parts, by binary search."""
        first, last = 0, self.keys
        ends = [separator[0] for separator in key_format.separators] + [-1]
        for column, (part, end) in enumerate(zip(parts, ends, strict=True)):
            number = self._find_part(column, (*part, end), end)
            if number is None:
                return None
            if column:
                cells = self.cells[first:last, column - 1]
                low, high = np.searchsorted(cells, [number, number + 1])
                first, last = first + int(low), first + int(high)
            else:
                entry = number - int(self.bases[0])
                first, last = (
                    (entry, entry + 1)
                    if self.entries is None
                    else (int(self.entries[entry]), int(self.entries[entry + 1]))
                )
            if first == last:
                return None
        return first

    def find_part(self, column: int, part: tuple[int, ...], key_format: KeyFormat) -> int | None:
        """The number of a part, or None."""
        end = key_format.separators[column][0] if column < len(key_format.separators) else -1
        return self._find_part(column, (*part, end), end)

    def bounds(self, column: int) -> tuple[int, int]:
        """Numbers of a column's first part, and after its last one."""
        return int(self.bases[column]), self._stop(column)

    def _find_part(self, column: int, closed: tuple[int, ...], end: int) -> int | None:
        low = int(self.bases[column])
        high = stop = self._stop(column)
        while low < high:
            middle = (low + high) // 2
            if (*self.part(middle), end) < closed:
                low = middle + 1
            else:
                high = middle
        return low if low < stop and (*self.part(low), end) == closed else None

    def _stop(self, column: int) -> int:
        """Part number after a column's last one."""
        if column == 0:
            return len(self.starts) - 1
        return int(self.bases[(column + 1) % self.columns])


def closing_of(key_format: KeyFormat) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """:attr:`KeyTable.closing` and :attr:`KeyTable.closing_starts` of a format."""
    closing = [*key_format.separators, (-1,)]
    starts = np.cumsum([0, *map(len, closing)], dtype=np.int64)
    return np.array([token for tokens in closing for token in tokens], np.int64), starts
