"""How a job is cut into chunks: by measured cost, so that one is neither all overhead nor too long to lose."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

TARGET = 2.0
"""Seconds that a chunk should take a worker that does nothing else."""

MOST = 256
"""Items of a chunk at most."""

LEAST_CHUNKS = 64
"""Chunks of a job at least, as far as it has items: a worker takes several at once, and there may be several."""

MOST_CHUNKS = 2000
"""Chunks of a job at most: each is an exchange when the job is accepted, and one more when it is taken."""


@dataclass(eq=False)
class Chunker:
    """Cuts consecutive items.

    Args:
        total: items of the job.
        costs: measured seconds of a unit, by kind.
    """

    total: int
    costs: Mapping[str, float]
    _cuts: list[int] = field(default_factory=lambda: [0])
    _items: int = 0
    _seconds: float = 0.0

    def add(self, kind: str, units: float, unit_seconds: float) -> None:
        """Take the next item; a unit of it takes ``unit_seconds`` unless that was measured."""
        seconds = units * (self.costs.get(kind) or unit_seconds)
        size = self._items - self._cuts[-1]
        most = min(MOST, max(1, math.ceil(self.total / LEAST_CHUNKS)))
        least = math.ceil(self.total / MOST_CHUNKS)
        if size >= least and (size >= most or self._seconds + seconds > TARGET):
            self._cuts.append(self._items)
            self._seconds = 0.0
        self._items += 1
        self._seconds += seconds

    def chunks(self) -> list[tuple[int, int]]:
        """First item and item after the last of each chunk."""
        stops = [*self._cuts[1:], self._items]
        return list(zip(self._cuts, stops, strict=True))
