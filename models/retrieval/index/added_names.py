"""Names of keys that were added to an index since it was opened, by how they may be misspelt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.spelling_table import SpellingTable


class AddedNames:
    """Numbers names in order of appearance; none is forgotten, so all views of an index share one of these.

    Tables are made when they are asked for, of the names that came since, and joined so that each is
    larger than the next (the logarithmic method, Bentley and Saxe 1980): n names are hashed
    O(n log n) times in all, however often somebody asks.
    """

    def __init__(self) -> None:
        self._names: list[tuple[int, ...]] = []
        self._seen: set[tuple[int, ...]] = set()
        self._tables: list[tuple[int, int, SpellingTable]] = []
        self._turn = threading.Lock()

    def add(self, name: tuple[int, ...]) -> None:
        """Take in a name, in tokens; known ones count once."""
        if name not in self._seen:
            self._seen.add(name)
            self._names.append(name)

    def __getitem__(self, number: int) -> tuple[int, ...]:
        return self._names[number]

    def find(
        self, hashes: NDArray[np.uint64], decode: Callable[[Sequence[int]], str]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """As :meth:`models.retrieval.index.spelling_table.SpellingTable.find`."""
        empty = np.empty(0, np.int64)
        which, numbers = [empty], [empty]
        for first, _, table in self._current(decode):
            some, owners = table.find(hashes)
            which.append(some)
            numbers.append(owners + first)
        return np.concatenate(which), np.concatenate(numbers)

    def _current(self, decode: Callable[[Sequence[int]], str]) -> list[tuple[int, int, SpellingTable]]:
        with self._turn:
            stop = len(self._names)
            tables = list(self._tables)
            first = tables[-1][1] if tables else 0
            if first < stop:
                while tables and tables[-1][1] - tables[-1][0] <= stop - first:
                    first = tables.pop()[0]
                texts = [decode(name) for name in self._names[first:stop]]
                self._tables = [*tables, (first, stop, SpellingTable.build(len(texts), [texts]))]
            return self._tables
