"""Splitting a batch, and the threads that run its parts."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from hypothesis import given
from hypothesis import strategies as st

from models.language.lanes import Lanes, split


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


def test_each_lane_has_its_share_of_the_threads() -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        lanes = Lanes(torch.device("cpu"))
        seen: list[int] = []

        def work(lane: int, part: Sequence[int]) -> None:
            torch.ones(1 << 18).sum()
            seen.append(torch.get_num_threads())

        lanes.run(work, [[1]] * lanes.count)
        lanes.run(work, [[1]], small=True)
        assert seen == [4 // lanes.count] * (lanes.count + 1)
        lanes.run(work, [[1]])
        assert seen[-1] == torch.get_num_threads() == 4
    finally:
        torch.set_num_threads(threads)
