"""What items that run side by side cost, each by itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(eq=False)
class Share:
    """Of one item.

    Attributes:
        seconds: charged to it; 0 until it has ended.
    """

    seconds: float = 0.0


@dataclass(eq=False)
class ProcessorSharing:
    """Time, split evenly among the items that run at each moment: of n side by side each is charged 1/n second a
    second.

    So shares add up to the time in which anything ran, and an item costs the same whatever runs beside it. Kept
    as a virtual clock that runs 1/n as fast as the real one (Parekh and Gallager, A generalized processor sharing
    approach to flow control, IEEE/ACM ToN 1993): a share is what that clock advanced while its item ran.

    Attributes:
        clock: in seconds.
        running: items under way.
    """

    clock: Callable[[], float] = time.perf_counter
    running: int = 0
    _virtual: float = 0.0
    _since: float = 0.0

    @contextmanager
    def one(self) -> Iterator[Share]:
        """Holds while an item runs."""
        share = Share()
        self._advance()
        self.running += 1
        began = self._virtual
        try:
            yield share
        finally:
            self._advance()
            self.running -= 1
            share.seconds = self._virtual - began

    def _advance(self) -> None:
        now = self.clock()
        if self.running:
            self._virtual += (now - self._since) / self.running
        self._since = now
