"""Which way of doing a batch is faster, by what each took lately."""

from __future__ import annotations

from dataclasses import dataclass, field

KEPT = 0.8
"""What is left of a figure's weight after the next."""
RETRY = 16
"""Every so many times a way that was slower is tried again: what else the machine does changes."""
LEAP = 2.0
"""Times that a figure differs from the next where one of them is not believed: what takes so much longer was held up
(a process that stands still, a first look that prepares), and what takes so much less shows that the one before was."""
FIXED = 32
"""Tokens that take as long as what a forward costs whatever it reads."""


@dataclass(eq=False)
class Pace:
    """Seconds that some ways of doing the same work took, by its size.

    Sizes between two powers of two share their figures: small batches may be faster one way, large
    ones the other.

    Attributes:
        ways: how many.
    """

    ways: int
    _figures: dict[int, list[float]] = field(default_factory=dict)
    _asked: dict[int, int] = field(default_factory=dict)

    def choose(self, size: int) -> int:
        """The way to go: each in turn until all are known, then the fastest, now and then the others."""
        key = size.bit_length()
        figures = self._figures.setdefault(key, [])
        if len(figures) < self.ways:
            return len(figures)
        asked = self._asked[key] = self._asked.get(key, 0) + 1
        best = min(range(self.ways), key=figures.__getitem__)
        return best if asked % RETRY else (best + 1 + (asked // RETRY) % (self.ways - 1)) % self.ways

    def took(self, size: int, way: int, seconds: float) -> None:
        """Take in what a batch of a size took."""
        figures = self._figures.setdefault(size.bit_length(), [])
        figure = seconds / (size + FIXED)
        if way == len(figures):
            figures.append(figure)
        elif way < len(figures):
            before = figures[way]
            smoothed = KEPT * before + (1 - KEPT) * min(figure, LEAP * before)
            figures[way] = figure if LEAP * figure < before else smoothed
