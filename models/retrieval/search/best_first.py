"""Exact search for one question: the best hypothesis is expanded first."""

from __future__ import annotations

import heapq
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from itertools import count

import numpy as np
from numpy.typing import NDArray

from models.retrieval.search.beam import Complete
from models.retrieval.search.options import SearchOptions
from models.retrieval.search.stem import Choice, Stem

EXPANSIONS_TOGETHER = 4
"""Hypotheses of a question expanded together: a forward of a few costs little more than of one."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """A stem's choices, best first, of which the first ``at`` are taken."""

    stem: Stem
    order: NDArray[np.int64]
    ranks: NDArray[np.float64]
    renormalised: float
    raw: float
    at: int = 0


@dataclass(order=True, slots=True)
class _Entry:
    minus_rank: float
    serial: int
    what: _Ranked | Complete = field(compare=False)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Keys in order, the number of expansions, and whether the order is proven."""

    keys: list[Complete]  # the first n are the answer; others were completed too, best first
    expansions: int
    proven: bool


def best_first(question: int, options: SearchOptions, end: int) -> Generator[Sequence[Choice], Sequence[Stem], Outcome]:
    """Uniform-cost search (A* with bound 0): yields choices to follow, is sent the stems behind them.

    Every log-probability is at most 0, so the rank of a hypothesis bounds those of all its extensions.
    A complete key that ranks no lower than every hypothesis left is therefore next in the true
    order. When ``most_expansions`` do not suffice, the keys known by then are given, not proven.
    """
    by_raw = options.score == "raw"
    serial = count()
    heap: list[_Entry] = []
    found: list[Complete] = []

    def push(stem: Stem, rank: float, renormalised: float, raw: float, counted: int = 1) -> None:
        # The chosen token is in the sums already; those that it forced are not.
        forced = float(stem.written[counted:].sum())
        raw += forced
        rank += forced if by_raw else 0.0
        if not len(stem.tokens_next):
            heapq.heappush(heap, _Entry(-rank, next(serial), Complete(stem.tokens, rank, renormalised, raw)))
            return
        gains = stem.raw if by_raw and stem.raw is not None else stem.renormalised
        order = np.argsort(-gains, kind="stable")
        ranked = _Ranked(stem, order, rank + gains[order], renormalised, raw)
        heapq.heappush(heap, _Entry(-float(ranked.ranks[0]), next(serial), ranked))

    (root,) = yield [Choice(question, None)]
    push(root, 0.0, 0.0, 0.0, counted=0)
    expansions = 1
    while heap and len(found) < options.n:
        batch: list[tuple[Choice, float, float, float]] = []
        while heap and len(batch) < EXPANSIONS_TOGETHER and len(found) < options.n:
            if isinstance(heap[0].what, Complete):
                if batch:
                    break
                found.append(heap[0].what)
                heapq.heappop(heap)
                continue
            taken = heapq.heappop(heap).what
            assert isinstance(taken, _Ranked)
            batch += _take(heap, taken, question, end, serial)
        if not batch:
            continue
        if expansions + len(batch) > options.most_expansions:
            return Outcome(found + _complete(heap), expansions, proven=False)
        expansions += len(batch)
        stems = yield [choice for choice, *_ in batch]
        for stem, (_, rank, renormalised, raw) in zip(stems, batch, strict=True):
            push(stem, rank, renormalised, raw)
    return Outcome(found + _complete(heap), expansions, proven=True)


def _complete(heap: list[_Entry]) -> list[Complete]:
    """The keys that are complete and not taken, best first."""
    complete = [(entry.minus_rank, entry.serial, entry.what) for entry in heap if isinstance(entry.what, Complete)]
    return [key for *_, key in sorted(complete)]


def _take(
    heap: list[_Entry], taken: _Ranked, question: int, end: int, serial: count[int]
) -> list[tuple[Choice, float, float, float]]:
    """The best choice left of a stem, to be followed unless it closes a key; the next one goes back to the heap."""
    stem, at = taken.stem, int(taken.order[taken.at])
    rank = float(taken.ranks[taken.at])
    renormalised = taken.renormalised + float(stem.renormalised[at])
    raw = taken.raw + (0.0 if stem.raw is None else float(stem.raw[at]))
    if taken.at + 1 < len(taken.order):
        rest = _Ranked(stem, taken.order, taken.ranks, taken.renormalised, taken.raw, taken.at + 1)
        heapq.heappush(heap, _Entry(-float(rest.ranks[rest.at]), next(serial), rest))
    if int(stem.tokens_next[at]) == end:
        done = Complete((*stem.tokens, end), rank, renormalised, raw)
        heapq.heappush(heap, _Entry(-rank, next(serial), done))
        return []
    return [(Choice(question, stem, at), rank, renormalised, raw)]
