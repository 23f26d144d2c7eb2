"""Original forms of parts of keys: how they were first written, where that is not their normal form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.ragged import spread, starts_of
from models.retrieval.index.storage import load_arrays, save_arrays


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """Texts by number; empty for most indexes, and then no file."""

    numbers: NDArray[np.uint32]  # (n,) of parts, ascending
    starts: NDArray[np.int64]  # (n + 1,) where each text begins
    raw: NDArray[np.uint8]  # the texts in UTF-8, end to end

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
        """The texts of a range of numbers, counted from its beginning."""
        low, high = np.searchsorted(self.numbers, [first, stop]).tolist()
        starts = np.asarray(self.starts[low : high + 1])
        raw = np.asarray(self.raw[int(starts[0]) : int(starts[-1])])
        return Written((self.numbers[low:high] - first).astype(np.uint32), starts - starts[0], raw)

    def renumbered(self, kept: NDArray[np.bool_], numbers: NDArray[np.int64]) -> Written:
        """The texts that are kept, (n,), under other numbers, (n,), all different."""
        which = np.flatnonzero(kept)
        which = which[np.argsort(numbers[which])]
        lengths = np.diff(self.starts)[which]
        return Written(
            numbers[which].astype(np.uint32), starts_of(lengths), self.raw[spread(self.starts[:-1][which], lengths)]
        )

    def save(self, folder: Path) -> None:
        """Write the files that :meth:`load` maps, if there is anything to write."""
        if len(self):
            save_arrays(folder, "written", {field.name: getattr(self, field.name) for field in fields(self)})

    @classmethod
    def load(cls, folder: Path) -> Written:
        """Map the files of an index; without any, all its names are in their normal form."""
        arrays = load_arrays(folder, "written", [field.name for field in fields(cls)], optional=True)
        return cls(**arrays) if arrays else cls.of({})
