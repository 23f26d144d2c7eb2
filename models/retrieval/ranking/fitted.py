"""Linear predictors over standardised features, in files of their own."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Fitted:
    """A linear predictor w . (x - mean) / scale, and figures of its own."""

    error: ClassVar[type[ValueError]]  # that a file cannot be used; the message holds the remedy

    features: tuple[str, ...]  # their names, in order
    mean: tuple[float, ...]  # of each over what it was fitted on
    scale: tuple[float, ...]
    weights: tuple[float, ...]  # w

    def standardised(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """(x - mean) / scale, (..., F) to (..., F)."""
        result: NDArray[np.float64] = (x - np.array(self.mean)) / np.array(self.scale)
        return result

    def save(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", "utf-8")

    @classmethod
    def load(cls, path: Path, names: tuple[str, ...]) -> Self:
        """Read a file that :meth:`save` wrote, fitted on features of these names.

        Raises:
            ValueError: ``error``, it cannot be read, or was fitted on other features.
        """
        again = f"fit the {cls.__name__.lower()} again"
        try:
            record = json.loads(path.read_text("utf-8"))
            given = tuple(record["features"])
            rows = [tuple(map(float, record[name])) for name in ("mean", "scale", "weights")]
            figures = [float(record[each.name]) for each in fields(cls)[4:]]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise cls.error(f"{path} cannot be read ({error}): {again}") from error
        if given != names or {len(row) for row in rows} != {len(names)} or not np.isfinite(rows).all():
            raise cls.error(f"{path} was fitted on the features {given}: {again}")
        return cls(given, *rows, *figures)
