"""Order of the questions of an epoch: a function of the seed and the epoch alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.retrieval.examples import Example

POOL = 50
"""Batches whose questions are sorted by length together: short ones pad little, order stays random."""


def batches(train: Sequence[Example], size: int, seed: int, epoch: int) -> list[list[int]]:
    """Numbers of questions, each in one batch of an epoch."""
    rng = np.random.default_rng((seed, 0, epoch))
    order = rng.permutation(len(train)).tolist()
    found: list[list[int]] = []
    for start in range(0, len(order), POOL * size):
        pool = sorted(order[start : start + POOL * size], key=lambda i: _length(train[i]))
        found += [pool[at : at + size] for at in range(0, len(pool), size)]
    return [found[i] for i in rng.permutation(len(found))]


def _length(example: Example) -> int:
    return len(example.question) + sum(map(len, example.fact.parts))
