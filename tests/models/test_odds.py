"""Odds by sums of piecewise linear functions."""

import math
from pathlib import Path

import pytest

from models.odds import Odds, bends, ramps


def test_log_odds_are_the_sum_of_the_terms() -> None:
    odds = Odds({"": 0.5, "x": 2.0, "x>1": -3.0, "y>-0.5": 10.0})
    assert odds.log_odds({"x": 0.25, "y": -2.0}) == pytest.approx(0.5 + 0.5)
    assert odds.log_odds({"x": 4.0, "y": 0.0}) == pytest.approx(0.5 + 8.0 - 9.0 + 5.0)


def test_a_ramp_ends_where_the_next_begins() -> None:
    rising = Odds(dict.fromkeys(ramps({"x": (-2.5, -1.0, 3.0)}), 2.0))
    assert list(rising.weights) == ["x>-2.5<-1", "x>-1<3"]
    found = [rising.log_odds({"x": x}) for x in (-9.0, -2.0, -1.0, 1.0, 3.0, 50.0)]
    assert found == pytest.approx([0.0, 1.0, 3.0, 7.0, 11.0, 11.0])
    assert rising.log_odds({}) == 0.0


def test_a_feature_that_is_not_given_adds_nothing() -> None:
    """That a knot lies below 0 does not make a term of what is not there."""
    assert Odds({"": -1.0, "x": 2.0, "x>-3": 5.0}).log_odds({"unknown": 7.0}) == -1.0


def test_the_probability_is_logistic_and_finite() -> None:
    odds = Odds({"x": 1.0})
    assert odds.probability({"x": 0.3}) == pytest.approx(1 / (1 + math.exp(-0.3)))
    assert odds.probability({"x": 1e9}) == 1.0 and odds.probability({"x": -1e9}) == pytest.approx(0.0)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    odds = Odds({"": 1.0, **dict.fromkeys(bends({"长度": (-0.5, 3.0)}), 0.25)})
    odds.write(tmp_path / "odds.json")
    assert Odds.read(tmp_path / "odds.json") == odds
    assert list(odds.weights) == ["", "长度>-0.5", "长度>3"]
