"""Objectives: each term by hand, and sums over tokens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplers.objective import LOG_PROB, SURPRISAL_UNIT, Objective
from samplers.state import END, FREE, State
from samplers.target import Target

LOG_PROBS = np.array([-2.0, -6.0, -0.5])


@pytest.mark.parametrize(
    ("objective", "value"),
    [
        (LOG_PROB, -8.5),
        (Objective(length_reward=3.0), -8.5 + 9.0),
        (Objective(closing_weight=3.0), -8.5 - 1.0),
        (Objective(surprisal_power=2.0), -(4.0 + 36.0 + 0.25) / 3.0),
        (Objective(0.5, 2.0, 5.0), 1.5 - (4.0 + 36.0 + 0.25) / 3.0 - 4 * 0.5),
    ],
)
def test_each_term_is_as_the_formula_says(objective: Objective, value: float) -> None:
    assert objective.value(LOG_PROBS) == pytest.approx(value)
    state = State((1, 2, 9), (FREE, FREE, END))
    density = Target(lambda tokens: "a cat.", objective=objective).log_density(state, LOG_PROBS, 9.0, 0.5)
    assert density == pytest.approx(0.5 * value + 9.0), "beta heats the objective alone"


def test_a_token_of_the_unit_costs_the_same_under_every_power() -> None:
    at_unit = np.array([-SURPRISAL_UNIT])
    values = [Objective(surprisal_power=power).value(at_unit) for power in (1.0, 1.5, 3.0)]
    assert values == pytest.approx([-SURPRISAL_UNIT] * 3)


def test_what_is_certain_costs_nothing() -> None:
    assert Objective(surprisal_power=1.5).value(np.zeros(3)) == 0.0


@given(
    st.lists(st.floats(-30, 0), min_size=2, max_size=12),
    st.floats(-2, 2),
    st.floats(1, 3),
    st.floats(0, 9),
    st.integers(1, 11),
)
def test_runs_add_up_to_the_sentence(
    log_probs: list[float], reward: float, power: float, closing: float, cut: int
) -> None:
    objective, values = Objective(reward, power, closing), np.array(log_probs)
    cut = min(cut, len(values) - 1)
    parts = objective.value(values[:cut], closed=False) + objective.value(values[cut:])
    assert parts == pytest.approx(objective.value(values), rel=1e-9, abs=1e-9)
