"""Threads that run parts of a batch side by side."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import torch

from models.language.forward.pace import Pace

MOST = 4
"""Most lanes: each reads all the weights, so more would wait for memory."""
_WHOLE = 1
"""The way of all threads together, of the two in :class:`Pace`."""


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
        self._paces: dict[str, Pace] = {}
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

    def run(self, kind: str, work: Callable[[int, slice], None], costs: Sequence[int], least: int) -> None:
        """Call ``work(lane, part)`` for consecutive parts of a batch that cover it, and wait for all.

        The batch goes to the lanes in parts of about equal cost, or whole to all of PyTorch's threads,
        whichever was faster for its size of late: on a quiet machine mostly the threads, for the lanes
        each read all the weights; on a busy one the lanes. A part's result must not depend on which.

        Args:
            kind: what work this is; works of one kind are compared.
            work: does a part.
            costs: of each item of the batch, in tokens.
            least: cost below which a part of its own does not pay.

        Raises:
            Exception: the first that a part raised, once all have ended.
        """
        if not costs:
            return
        if self.count == 1:
            work(0, slice(0, len(costs)))
            return
        size = sum(costs)
        pace = self._paces.setdefault(kind, Pace(2))
        way = pace.choose(size)
        began = time.perf_counter()
        if way == _WHOLE:
            work(0, slice(0, len(costs)))
        else:
            # A lone part too: threads that share little work may wait for each other more than they help.
            futures = [self._pool.submit(work, *each) for each in enumerate(split(costs, self.count, least))]
            errors = [error for future in futures if (error := future.exception()) is not None]
            if errors:
                raise errors[0]
        pace.took(size, way, time.perf_counter() - began)


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
