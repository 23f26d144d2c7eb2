"""The files of a compiled index."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.table import KeyTable, closing_of
from models.retrieval.index.wide import WideNodes

_TABLE = ("tokens", "starts", "cells", "entries", "bases")
_WIDE = tuple(field.name for field in fields(WideNodes))


def save(folder: Path, table: KeyTable, wide: WideNodes) -> None:
    """Write the key structure; little-endian, tokens in 16 bits where they fit."""
    for name in _TABLE:
        if (array := getattr(table, name)) is not None:
            _save(folder / f"key-{name}.npy", array, name)
    for name in _WIDE:
        _save(folder / f"wide-{name}.npy", getattr(wide, name), name)


def _save(path: Path, array: NDArray[Any], name: str) -> None:
    if name == "tokens" and int(array.max(initial=0)) < 1 << 16:
        array = array.astype(np.uint16)
    np.save(path, array.astype(array.dtype.newbyteorder("<"), copy=False), allow_pickle=False)


def load(folder: Path, key_format: KeyFormat) -> tuple[KeyTable, WideNodes]:
    """Map the key structure."""
    table: dict[str, Any] = {name: mapped(path) for name in _TABLE if (path := folder / f"key-{name}.npy").exists()}
    closing, closing_starts = closing_of(key_format)
    keys = KeyTable(
        **{"entries": None, **table}, closing=closing, closing_starts=closing_starts, keys=len(table["cells"])
    )
    return keys, WideNodes(**{name: mapped(folder / f"wide-{name}.npy") for name in _WIDE})


def mapped(path: Path) -> NDArray[Any]:
    """An array on disk. As a plain ndarray: numpy.memmap slows every small operation down."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
