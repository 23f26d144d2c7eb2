"""Splitting a batch, and the threads that run its parts."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from models.language.forward.pace import RETRY, Pace
from models.language.forward.thread_lanes import Lanes, split


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


@pytest.fixture
def four_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(threads)


def test_a_batch_goes_to_the_lanes_or_whole_to_all_threads(four_threads: None) -> None:
    lanes = Lanes(torch.device("cpu"))
    seen: list[tuple[slice, int]] = []

    def work(lane: int, part: slice) -> None:
        torch.ones(1 << 18).sum()
        seen.append((part, torch.get_num_threads()))

    lanes.run("a", work, [5] * 8, 1)
    share = 4 // lanes.count
    assert sorted(part.start for part, _ in seen) == [round(8 / lanes.count * k) for k in range(lanes.count)]
    assert {threads for _, threads in seen} == {share}
    seen.clear()
    lanes.run("a", work, [5] * 8, 1)
    assert seen == [(slice(0, 8), 4)]
    seen.clear()
    lanes.run("b", work, [5] * 8, 100)  # too little to share
    assert seen == [(slice(0, 8), share)]


def test_an_error_of_a_part_comes_once_all_have_ended(four_threads: None) -> None:
    lanes = Lanes(torch.device("cpu"))
    ended: list[int] = []

    def work(lane: int, part: slice) -> None:
        if part.start == 0:
            raise KeyError("part")
        time.sleep(0.05)
        ended.append(lane)

    with pytest.raises(KeyError):
        lanes.run("a", work, [1] * 8, 1)
    assert len(ended) == lanes.count - 1


def test_the_faster_way_is_taken_and_the_other_looked_at_now_and_then() -> None:
    pace = Pace(2)
    seconds = [1.0, 2.0]
    taken: list[int] = []

    def go(times: int, size: int = 40) -> list[int]:
        taken.clear()
        for _ in range(times):
            way = pace.choose(size)
            pace.took(size, way, seconds[way])
            taken.append(way)
        return taken

    assert go(10) == [0, 1, *[0] * 8]
    assert sum(go(10 * RETRY)) == 10
    seconds.reverse()  # the machine has become another
    go(4)
    assert sum(go(10 * RETRY)) >= 8 * RETRY
    seconds[0] = 1.9
    assert go(2, size=400) == [0, 1]  # another size knows nothing yet


@pytest.mark.parametrize("held_up", [30.0, 1e6])
def test_what_was_held_up_once_tells_nothing(held_up: float) -> None:
    pace = Pace(2)
    seconds = [1.0, 1.3]

    def go(times: int) -> int:
        slower = 0
        for _ in range(times):
            way = pace.choose(40)
            pace.took(40, way, seconds[way])
            slower += way
        return slower

    for way, first in enumerate((held_up, seconds[1])):  # the first look at the faster way had to prepare
        assert pace.choose(40) == way
        pace.took(40, way, first)
    assert go(RETRY) == RETRY - 1
    assert go(10 * RETRY) == 10
    pace.took(40, 0, held_up)  # the process stood still
    assert go(10 * RETRY) == 10
