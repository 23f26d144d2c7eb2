"""Choice of spans: the heaviest set without an overlap."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.retrieval.links.choice import heaviest

SPAN = st.builds(lambda start, length: (start, start + length), st.integers(0, 9), st.integers(1, 5))


@given(st.lists(st.tuples(SPAN, st.floats(-2, 5)), max_size=8))
def test_no_other_set_weighs_more(weighed: list[tuple[tuple[int, int], float]]) -> None:
    spans, weights = [span for span, _ in weighed], [weight for _, weight in weighed]
    chosen = heaviest(spans, weights)
    assert _apart([spans[i] for i in chosen]) and all(weights[i] > 0 for i in chosen)
    assert [spans[i][0] for i in chosen] == sorted(spans[i][0] for i in chosen)
    every = (some for size in range(len(spans) + 1) for some in combinations(range(len(spans)), size))
    best = max(sum(weights[i] for i in some) for some in every if _apart([spans[i] for i in some]))
    assert sum(weights[i] for i in chosen) == pytest.approx(best)


def test_of_equal_weights_the_longer_counts() -> None:
    assert heaviest([(0, 2), (0, 5), (2, 4)], [1.0, 1.0, 0.0]) == [1]


def _apart(spans: list[tuple[int, int]]) -> bool:
    return all(a[1] <= b[0] or b[1] <= a[0] for a, b in combinations(spans, 2))
