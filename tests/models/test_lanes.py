"""Splitting a batch."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.language.lanes import split


@given(st.lists(st.integers(0, 30), min_size=1, max_size=60), st.integers(1, 6), st.integers(1, 40))
def test_parts_cover_the_batch_in_order(costs: list[int], count: int, least: int) -> None:
    parts = split(costs, count, least)
    covered = [i for part in parts for i in range(part.start, part.stop)]
    assert covered == list(range(len(costs)))
    assert 1 <= len(parts) <= count
    assert all(part.stop > part.start for part in parts)


@given(st.lists(st.integers(1, 10), min_size=20, max_size=60), st.integers(1, 4))
def test_parts_cost_about_the_same(costs: list[int], count: int) -> None:
    sums = [sum(costs[part]) for part in split(costs, count, 1)]
    assert len(sums) == count
    assert max(sums) - min(sums) <= 2 * max(costs)


def test_small_batches_stay_whole() -> None:
    assert split([5] * 9, 2, 24) == [slice(0, 9)]
    assert len(split([5] * 10, 2, 24)) == 2
