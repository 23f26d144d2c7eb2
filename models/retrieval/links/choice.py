"""Choice of names that do not overlap."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


def heaviest(spans: Sequence[tuple[int, int]], weights: Sequence[float]) -> list[int]:
    """Numbers of the spans, none overlapping another, whose weights sum to the most, from left to right.

    Weighted interval scheduling by dynamic programming (Kleinberg and Tardos, 2005, 6.1). Spans without a positive
    weight are left out; of choices of one sum the one with the longer spans counts.

    Args:
        spans: first character, and the one after the last.
        weights: of each.
    """
    order = sorted((i for i, weight in enumerate(weights) if weight > 0), key=lambda i: (spans[i][1], spans[i][0]))
    stops = [spans[i][1] for i in order]
    best: list[tuple[float, int]] = [(0.0, 0)]
    before: list[int] = []
    for place, i in enumerate(order):
        start, stop = spans[i]
        before.append(bisect_right(stops, start, hi=place))
        weight, covered = best[before[-1]]
        best.append(max(best[-1], (weight + weights[i], covered + stop - start)))
    chosen: list[int] = []
    place = len(order)
    while place:
        if best[place] == best[place - 1]:
            place -= 1
        else:
            chosen.append(order[place - 1])
            place = before[place - 1]
    return chosen[::-1]
