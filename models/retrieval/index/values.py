"""Values by key number: the bytes of a key's values, 0xFF (never in UTF-8) between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.ragged import spread, starts_of
from models.retrieval.index.storage import load_arrays, save_arrays
from models.text.normalisation import normalise

VALUE_SEPARATOR = b"\xff"
_BYTES_AT_ONCE = 4 << 20


def normal_value(text: str) -> str:
    """The normal form of a value: of the text, without outer white space."""
    return normalise(text).strip()


@dataclass(frozen=True, slots=True)
class ValueTable:
    """The values of all keys."""

    starts: NDArray[np.uint64]  # (keys + 1,) where the values of each key begin
    raw: NDArray[np.uint8]

    def values(self, number: int) -> list[str]:
        """The values of a key."""
        record = self.raw[int(self.starts[number]) : int(self.starts[number + 1])].tobytes()
        return [value.decode() for value in record.split(VALUE_SEPARATOR)]

    def copy_to(self, file: BinaryIO) -> None:
        """Append all values to a file."""
        for at in range(0, len(self.raw), _BYTES_AT_ONCE):
            file.write(self.raw[at : at + _BYTES_AT_ONCE].tobytes())

    @classmethod
    def load(cls, folder: Path) -> ValueTable:
        """Map the files that :func:`write_values` made."""
        return cls(load_arrays(folder, "value", ["starts"])["starts"], _mapped(folder / "values.bin"))


def write_values(
    folder: Path, source: Path, starts: NDArray[np.int64], lengths: NDArray[np.int64], new: NDArray[np.bool_]
) -> tuple[int, int]:
    """Write the values in order of key numbers.

    Args:
        folder: gets the files.
        source: file of the values, in UTF-8.
        starts, lengths: (R,) their places in it, in bytes, sorted by key, stably.
        new: (R,) whether a value's key differs from that of the one before.

    Returns:
        Values written, and pairs left out because they came before.
    """
    raw = _mapped(source)
    repeated = _repeated(raw, starts, lengths, new)
    duplicates = int(repeated.sum())
    if duplicates:
        # A key's first row is never a duplicate, so the marks of new keys survive.
        starts, lengths, new = starts[~repeated], lengths[~repeated], new[~repeated]
    followed = np.zeros(len(new), np.int64)
    followed[:-1] = ~new[1:]
    targets = starts_of(lengths + followed)
    kind = np.uint32 if targets[-1] < 1 << 32 else np.uint64
    save_arrays(folder, "value", {"starts": np.append(targets[:-1][new], targets[-1:]).astype(kind)})
    written = int(new.sum())
    with (folder / "values.bin").open("wb") as file:
        bounds = np.arange(0, int(targets[-1]) + _BYTES_AT_ONCE, _BYTES_AT_ONCE)
        cuts = np.minimum(np.searchsorted(targets, bounds), len(new))
        for low, high in zip(cuts[:-1].tolist(), cuts[1:].tolist(), strict=True):
            piece = np.full(int(targets[high] - targets[low]), VALUE_SEPARATOR[0], np.uint8)
            to = spread(targets[low:high] - targets[low], lengths[low:high])
            piece[to] = raw[spread(starts[low:high], lengths[low:high])]
            written += int(np.count_nonzero(piece == VALUE_SEPARATOR[0]))
            file.write(piece.tobytes())
    return written, duplicates


def _mapped(path: Path) -> NDArray[np.uint8]:
    return np.asarray(np.memmap(path, np.uint8, "r")) if path.stat().st_size else np.empty(0, np.uint8)


def _repeated(
    raw: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64], new: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Mask of the values that an earlier row of the same key has already."""
    repeated = np.zeros(len(new), np.bool_)
    several = ~new
    several[:-1] |= ~new[1:]
    seen: set[bytes] = set()
    for row in np.flatnonzero(several).tolist():
        if new[row]:
            seen = set()
        value = raw[starts[row] : starts[row] + lengths[row]].tobytes()
        repeated[row] = value in seen
        seen.add(value)
    return repeated
