"""Schedules: their ends, and what lies between."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplers.schedules import Schedule, constant, geometric, linear, listed

betas = st.floats(0.01, 100)


def test_constant() -> None:
    assert [constant(2.5)(0, t) for t in (1, 7, 1000)] == [2.5] * 3


@given(betas, betas, st.integers(2, 500))
def test_ends_and_equal_steps(start: float, stop: float, steps: int) -> None:
    even, ratio = linear(start, stop, steps), geometric(start, stop, steps)
    for schedule in (even, ratio):
        assert schedule(0, 1) == pytest.approx(start)
        assert schedule(0, steps) == pytest.approx(stop)
    t = max(2, steps // 2)
    assert even(0, t) - even(0, t - 1) == pytest.approx((stop - start) / (steps - 1), abs=1e-9)
    assert ratio(0, t) / ratio(0, t - 1) == pytest.approx((stop / start) ** (1 / (steps - 1)))


@pytest.mark.parametrize("schedule", [linear(0.5, 3.0, 1), geometric(0.5, 3.0, 1)])
def test_a_single_step_is_the_last(schedule: Schedule) -> None:
    assert schedule(0, 1) == pytest.approx(3.0)


def test_listed_is_stretched_evenly() -> None:
    schedule = listed([0.5, 1.0, 2.0], 6)
    assert [schedule(0, t) for t in range(1, 7)] == [0.5, 0.5, 1.0, 1.0, 2.0, 2.0]
    assert [listed([0.5, 1.0, 2.0], 2)(0, t) for t in (1, 2)] == [0.5, 1.0]
    assert schedule(0, 99) == 2.0
    assert listed([0.7], 0)(0, 1) == 0.7


def test_listed_needs_a_beta() -> None:
    with pytest.raises(ValueError, match="at least one"):
        listed([], 5)
