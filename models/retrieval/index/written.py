"""How parts of keys were first written, where that is not their normal form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.ragged import spread, starts_of


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """Texts by number; empty for most indexes, and then no file.

    Attributes:
        numbers: (n,) uint32, ascending, of parts.
        starts: (n + 1,) int64, where each text begins.
        raw: uint8, the texts in UTF-8, end to end.
    """

    numbers: NDArray[np.uint32]
    starts: NDArray[np.int64]
    raw: NDArray[np.uint8]

    @classmethod
    def of(cls, texts: Mapping[int, bytes]) -> Written:
        """Pack texts."""
        numbers = sorted(texts)
        lengths = np.fromiter((len(texts[number]) for number in numbers), np.int64, len(numbers))
        raw = np.frombuffer(b"".join(texts[number] for number in numbers), np.uint8)
        return cls(np.array(numbers, np.uint32), starts_of(lengths), raw)

    @classmethod
    def concatenate(cls, several: Iterable[Written]) -> Written:
        """The texts of several, the numbers of each above those of the one before."""
        several = [cls.of({}), *several]
        return cls(
            np.concatenate([one.numbers for one in several]),
            starts_of(np.concatenate([np.diff(one.starts) for one in several])),
            np.concatenate([one.raw for one in several]),
        )

    def __len__(self) -> int:
        return len(self.numbers)

    def find(self, number: int) -> str | None:
        """The text of a number."""
        at = int(np.searchsorted(self.numbers, number))
        if at == len(self) or self.numbers[at] != number:
            return None
        return self.raw[int(self.starts[at]) : int(self.starts[at + 1])].tobytes().decode()

    def between(self, first: int, stop: int) -> Written:
        """Those of a range of numbers, counted from its beginning."""
        low, high = np.searchsorted(self.numbers, [first, stop]).tolist()
        starts = np.asarray(self.starts[low : high + 1])
        raw = np.asarray(self.raw[int(starts[0]) : int(starts[-1])])
        return Written((self.numbers[low:high] - first).astype(np.uint32), starts - starts[0], raw)

    def renumbered(self, kept: NDArray[np.bool_], numbers: NDArray[np.int64]) -> Written:
        """Those that are kept, under other numbers.

        Args:
            kept: (n,) which.
            numbers: (n,) the other numbers, all different.
        """
        which = np.flatnonzero(kept)
        which = which[np.argsort(numbers[which])]
        lengths = np.diff(self.starts)[which]
        return Written(
            numbers[which].astype(np.uint32), starts_of(lengths), self.raw[spread(self.starts[:-1][which], lengths)]
        )

    def save(self, folder: Path) -> None:
        """Write the files that :meth:`load` maps, if there is anything to write."""
        if len(self):
            for field in fields(self):
                array = getattr(self, field.name)
                little = array.astype(array.dtype.newbyteorder("<"), copy=False)
                np.save(_path(folder, field.name), little, allow_pickle=False)

    @classmethod
    def load(cls, folder: Path) -> Written | None:
        """Map the files of an index; None if all its names are in their normal form."""
        if not _path(folder, "numbers").exists():
            return None
        arrays: list[Any] = [
            np.asarray(np.load(_path(folder, field.name), mmap_mode="r", allow_pickle=False)) for field in fields(cls)
        ]
        return cls(*arrays)


def _path(folder: Path, name: str) -> Path:
    return folder / f"written-{name}.npy"
