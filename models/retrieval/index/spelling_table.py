"""Hash tables of the names of an index by the texts that are one error away from them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.manifest import Manifest
from models.retrieval.index.ragged import Ragged, spread
from models.retrieval.index.storage import load_arrays, save_arrays
from models.retrieval.index.variants import name_variants
from models.retrieval.metrics import normalised

DecodeBatch = Callable[[list[list[int]]], Sequence[str]]
"""The text of each token sequence of a batch."""

_PREFIX = "spelling"
_REST_BITS = 16
_NAMES_AT_ONCE = 1 << 16


@dataclass(frozen=True, slots=True, eq=False)
class SpellingTable:
    """A hash table of H hashes in 2^b buckets, about 7 bytes a hash: a name has one and one a character.

    A hash's first b bits are its bucket, of the others 16 are kept: a look-up meets the hash of
    another text in less than 1 of 1,000 cases, and the caller compares the texts.
    """

    starts: NDArray[np.uint32]  # (2^b + 1,) where each bucket begins; uint64 where 32 bits cannot say
    rests: NDArray[np.uint16]  # (H,) ascending in a bucket
    owners: NDArray[np.uint32]  # (H,) numbers of the names

    @classmethod
    def build(cls, count: int, batches: Iterable[Sequence[str]]) -> SpellingTable:
        """The table of ``count`` names, their texts in batches. Memory: about 24 bytes a hash for a while."""
        number_bits = max(1, count.bit_length())
        bits = max(1, min(number_bits - 1, 64 - _REST_BITS - number_bits))
        codes, before = [np.empty(0, np.uint64)], 0
        for texts in batches:
            hashes, owners = name_variants([normalised(text) for text in texts])
            numbers = (owners + before).astype(np.uint64)
            codes.append(hashes >> np.uint64(64 - bits - _REST_BITS) << np.uint64(number_bits) | numbers)
            before += len(texts)
        code = np.concatenate(codes)
        del codes
        code.sort()
        bounds = np.arange((1 << bits) + 1, dtype=np.uint64) << np.uint64(_REST_BITS + number_bits)
        bounds[-1] -= 1  # the last would be 2**64 where all bits are taken
        starts: NDArray[Any] = np.searchsorted(code, bounds)
        starts[-1] = len(code)
        starts = starts.astype(np.uint32 if len(code) < 1 << 32 else np.uint64)
        numbered: NDArray[np.uint32] = (code & np.uint64((1 << number_bits) - 1)).astype(np.uint32)
        code >>= np.uint64(number_bits)
        rests: NDArray[np.uint16] = (code & np.uint64((1 << _REST_BITS) - 1)).astype(np.uint16)
        return cls(starts, rests, numbered)

    def find(self, hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Hits: which of the hashes, and the number of the name, ascending by the former."""
        bits = (len(self.starts) - 1).bit_length() - 1
        bucket = (hashes >> np.uint64(64 - bits)).astype(np.int64)
        rest = (hashes >> np.uint64(64 - bits - _REST_BITS)).astype(np.uint16)
        first = self.starts[bucket].astype(np.int64)
        counts = self.starts[bucket + 1].astype(np.int64) - first
        rows = spread(first, counts)
        which = np.repeat(np.arange(len(hashes)), counts)
        hit = self.rests[rows] == rest[which]
        return which[hit], self.owners[rows[hit]].astype(np.int64)

    def save(self, folder: Path) -> None:
        """Write the files that :meth:`load` maps."""
        save_arrays(folder, _PREFIX, {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, folder: Path) -> SpellingTable | None:
        """Map the files of an index; None if it was built without."""
        arrays = load_arrays(folder, _PREFIX, [field.name for field in fields(cls)], optional=True)
        return cls(**arrays) if arrays else None


class GrowingSpellingTable:
    """Names added to an index since it was opened; none is forgotten, so all views of the index share one table.

    Names are numbered in order of appearance. Tables are made when they are asked for, of the names that
    came since, and joined so that each is larger than the next (the logarithmic method, Bentley and Saxe
    1980): n names are hashed O(n log n) times in all, however often somebody asks.
    """

    def __init__(self) -> None:
        self._names: list[tuple[int, ...]] = []
        self._seen: set[tuple[int, ...]] = set()
        self._tables: list[tuple[int, int, SpellingTable]] = []
        self._lock = threading.Lock()

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
        """As :meth:`SpellingTable.find`."""
        found = [(np.empty(0, np.int64),) * 2]
        for first, _, table in self._current(decode):
            which, owners = table.find(hashes)
            found.append((which, owners + first))
        return np.concatenate([which for which, _ in found]), np.concatenate([numbers for _, numbers in found])

    def _current(self, decode: Callable[[Sequence[int]], str]) -> list[tuple[int, int, SpellingTable]]:
        with self._lock:
            stop = len(self._names)
            tables = list(self._tables)
            first = tables[-1][1] if tables else 0
            if first < stop:
                while tables and tables[-1][1] - tables[-1][0] <= stop - first:
                    first = tables.pop()[0]
                texts = [decode(name) for name in self._names[first:stop]]
                self._tables = [*tables, (first, stop, SpellingTable.build(len(texts), [texts]))]
            return self._tables


def spelling_of(names: Ragged, decode: DecodeBatch) -> SpellingTable:
    """The table of names given in tokens."""

    def batches() -> Iterable[Sequence[str]]:
        for at in range(0, len(names), _NAMES_AT_ONCE):
            starts = names.starts[at : at + _NAMES_AT_ONCE + 1].tolist()
            tokens = names.tokens[starts[0] : starts[-1]].tolist()
            ends = [end - starts[0] for end in starts]
            yield decode([tokens[a:b] for a, b in zip(ends, ends[1:], strict=False)])

    return SpellingTable.build(len(names), batches())


def has_table(manifest: Manifest) -> bool:
    """Whether an index was built with a table."""
    return f"{_PREFIX}-starts.npy" in manifest.files
