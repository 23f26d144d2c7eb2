"""Division of a job into chunks by the expected time of its items."""

from __future__ import annotations

import math
from collections.abc import Sequence

CHUNK_SECONDS = 2.0
"""Expected time of a chunk on a worker that does nothing else."""

MAX_CHUNK_ITEMS = 256

MIN_CHUNKS = 64
"""Chunks of a job at least, as far as it has items: a worker takes several at once, and there may be several."""

MAX_CHUNKS = 2000
"""Chunks of a job at most: each costs an exchange when the job is accepted, and one more when it is taken."""


def chunks_of(seconds: Sequence[float]) -> list[tuple[int, int]]:
    """Chunks of consecutive items: the first item and the item after the last of each.

    Args:
        seconds: expected time of each item.
    """
    most = min(MAX_CHUNK_ITEMS, max(1, math.ceil(len(seconds) / MIN_CHUNKS)))
    least = math.ceil(len(seconds) / MAX_CHUNKS)
    cuts, expected = [0], 0.0
    for number, each in enumerate(seconds):
        size = number - cuts[-1]
        if size >= least and (size >= most or expected + each > CHUNK_SECONDS):
            cuts.append(number)
            expected = 0.0
        expected += each
    return list(zip(cuts, [*cuts[1:], len(seconds)], strict=True))
