"""Arrays of an index on disk, one file each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def save_arrays(folder: Path, prefix: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    """Write each array to ``prefix-name.npy``; little-endian."""
    for name, array in arrays.items():
        little = array.astype(array.dtype.newbyteorder("<"), copy=False)
        np.save(folder / f"{prefix}-{name}.npy", little, allow_pickle=False)


def load_arrays(folder: Path, prefix: str, names: Iterable[str], optional: bool = False) -> dict[str, Any]:
    """Map arrays, as plain ndarrays: numpy.memmap slows every small operation down.

    Args:
        folder: of the index.
        prefix: of the files' names.
        names: of the arrays.
        optional: whether none of them may be there.

    Raises:
        FileNotFoundError: one is not there.
    """
    paths = {name: folder / f"{prefix}-{name}.npy" for name in names}
    if optional and not any(path.exists() for path in paths.values()):
        return {}
    return {name: np.asarray(np.load(path, mmap_mode="r", allow_pickle=False)) for name, path in paths.items()}


def narrowed(tokens: NDArray[np.uint32]) -> NDArray[Any]:
    """Tokens in 16 bits where they fit."""
    return tokens.astype(np.uint16) if int(tokens.max(initial=0)) < 1 << 16 else tokens
