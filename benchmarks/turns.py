"""Pieces of work on one machine by turns of two seconds, so that what else the machine does meets all alike.

The same run takes 1.4 times as long a minute later where cores are shared with others; in turns as short as these
all have their part of such a minute.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.support.processes import Handle

TURN = 2.0
"""Seconds of a turn: short beside what a shared machine does to whoever has it, and far shorter than the lease of a
worker, which would lose its chunks while it stands still. What a process does every so often by the clock it does
once more when it goes on, so shorter turns would charge it too much for that."""


@dataclass(eq=False)
class Work:
    """Processes that stand still while it is not their turn.

    Attributes:
        processes: whose work it is.
        done: whether it has ended, asked at the end of each turn.
        turns: beginning and end of each, by time.time.
    """

    processes: Sequence[Handle]
    done: Callable[[], bool]
    turns: list[tuple[float, float]] = field(default_factory=list)

    def seconds(self, ended: float) -> float:
        """Time of its turns until then."""
        return sum(max(0.0, min(stop, ended) - start) for start, stop in self.turns)

    def send(self, number: signal.Signals) -> None:
        """Send all processes a signal."""
        for process in self.processes:
            process.send(number)


def by_turns(works: Sequence[Work]) -> None:
    """Let each work in its turn until all are done; the last goes on alone."""
    left = list(works)
    for work in left:
        work.send(signal.SIGSTOP)
    while left:
        for work in list(left):
            began = time.time()
            work.send(signal.SIGCONT)
            time.sleep(TURN)
            if work.done():
                left.remove(work)
            elif len(left) > 1:
                work.send(signal.SIGSTOP)
            work.turns.append((began, time.time()))
