"""Threads that run parts of a batch side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

MOST = 4
"""Most lanes: each reads all the weights, so more would wait for memory."""

T = TypeVar("T")


class Lanes:
    """Runs parts of a batch side by side on a CPU, each with its share of PyTorch's threads.

    A forward of tens of tokens is some hundreds of small operations. Split over the threads of one
    pool, each of them ends with a barrier, and on a busy machine each barrier waits for a time
    slice. A lane has no barriers but the one at its end.

    Attributes:
        count: lanes; with 1 the work runs in the caller's thread.
    """

    def __init__(self, device: torch.device) -> None:
        threads = torch.get_num_threads()
        self.count = min(threads, MOST) if device.type == "cpu" else 1
        if self.count > 1:
            self._pool = ThreadPoolExecutor(self.count, thread_name_prefix="lane")
            met = threading.Barrier(self.count)

            def settle() -> None:
                # A thread's first look takes over the setting of the process, later ones keep its own.
                torch.get_num_threads()
                torch.set_num_threads(threads // self.count)
                met.wait()

            list(self._pool.map(lambda _: settle(), range(self.count)))
            torch.set_num_threads(threads)

    def run(self, work: Callable[[int, Sequence[T]], None], parts: Sequence[Sequence[T]], small: bool = False) -> None:
        """Call ``work(lane, part)`` for each part, at most ``count`` of them, and wait for all.

        A lone part has all of PyTorch's threads, or, if ``small``, those of one lane: threads that
        share little work wait for each other more than they help.

        Raises:
            Exception: the first that a part raised, once all have ended.
        """
        if self.count == 1 or (len(parts) <= 1 and not small):
            for part in parts:
                work(0, part)
            return
        futures = [self._pool.submit(work, lane, part) for lane, part in enumerate(parts)]
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            raise errors[0]


def split(costs: Sequence[int], count: int, least: int) -> list[slice]:
    """Consecutive parts of about equal cost, at most ``count``, none (but a lone one) below ``least``."""
    if not costs:
        return []
    total = sum(costs)
    count = max(1, min(count, total // max(least, 1), len(costs)))
    parts: list[slice] = []
    start = at = 0
    for part in range(1, count + 1):
        stop = start
        while stop < len(costs) and (part == count or at + costs[stop] / 2 <= total * part / count):
            at += costs[stop]
            stop += 1
        if stop > start:
            parts.append(slice(start, stop))
        start = stop
    return parts
