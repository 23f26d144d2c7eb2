"""What a compiler is given: distinct parts as tokens, and rows that point to them and to a value."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.ragged import Ragged
from models.retrieval.index.written import Written


@dataclass
class Rows:
    """R pairs of key and value, in order of appearance.

    Attributes:
        parts: the texts of each column, as tokens; equal ones, and ones in no row, may occur.
        columns: (R,) for each column the number of the row's part.
        value_starts: (R,) where the row's value begins in ``raw``, in bytes.
        value_lengths: (R,) its bytes.
        raw: UTF-8 values end to end.
        written: for each column, by the number of the part, how it was first written.
    """

    parts: list[Ragged]
    columns: list[NDArray[np.uint32]]
    value_starts: NDArray[np.int64]
    value_lengths: NDArray[np.int64]
    raw: Path
    written: list[Written]

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Leave the other rows out."""
        self.columns = [column[which] for column in self.columns]
        self.value_starts, self.value_lengths = self.value_starts[which], self.value_lengths[which]
