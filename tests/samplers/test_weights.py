"""Weights: optimal resampling and splitting change none on average."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplers.weights import optimal, split

WEIGHTS = [6.0, 3.0, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05]
LOGS = np.log(WEIGHTS)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 7])
def test_optimal_resampling_keeps_each_weight_on_average(count: int) -> None:
    totals, runs = np.zeros(len(WEIGHTS)), 4000
    for uniform in (np.arange(runs) + 0.5) / runs:
        kept = optimal(LOGS, count, uniform)
        assert len({place for place, _ in kept}) == len(kept) <= count
        for place, log_weight in kept:
            totals[place] += np.exp(log_weight)
    assert totals / runs == pytest.approx(WEIGHTS, rel=0.02)


def test_the_heavy_stay_as_they_are_and_the_light_become_equal() -> None:
    kept = optimal(LOGS, 4, 0.3)
    assert kept[:2] == [(0, LOGS[0]), (1, LOGS[1])]
    assert len(kept) == 4 and kept[2][1] == kept[3][1] > LOGS[2]


@given(st.lists(st.floats(-50, 50), min_size=1, max_size=12), st.integers(1, 20), st.floats(0, 1, exclude_max=True))
def test_no_more_are_kept_than_asked_and_few_stay(logs: list[float], count: int, uniform: float) -> None:
    kept = optimal(logs, count, uniform)
    assert 1 <= len(kept) <= count
    if len(logs) <= count:
        assert kept == list(enumerate(logs))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6), st.integers(1, 12), st.floats(0, 1, exclude_max=True))
def test_copies_share_the_weight_of_what_they_copy(logs: list[float], count: int, uniform: float) -> None:
    copied = split(logs, count, uniform)
    assert len(copied) == max(count, len(logs))
    for place, log_weight in enumerate(logs):
        own = [each for copy, each in copied if copy == place]
        assert own and np.exp(own).sum() == pytest.approx(np.exp(log_weight))
