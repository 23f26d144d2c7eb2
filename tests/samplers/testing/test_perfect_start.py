"""Ranks, their p-values and the choice of places, by themselves."""

from __future__ import annotations

import numpy as np
import pytest

from samplers.state import State
from samplers.testing.perfect_start import chi_square_tail, every_token, keywords_of, ranks, uniformity, with_keywords
from samplers.testing.toy import STOP, A, B, K, T
from tests.samplers.own_keywords import toy_words


def test_tails_of_the_chi_square_law() -> None:
    """Quantiles as tables have them."""
    for statistic, freedom, tail in ((10.828, 1, 1e-3), (5.991, 2, 0.05), (16.266, 3, 1e-3), (18.467, 4, 1e-3)):
        assert chi_square_tail(statistic, freedom) == pytest.approx(tail, rel=1e-3)


def test_ranks_are_uniform_among_their_like_and_ties_are_broken_at_random() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(0, 3, size=(5, 2000))
    assert uniformity(ranks(values[0], values[1:], rng), 4) > 1e-4
    assert uniformity(ranks(values[0] + 0.3, values[1:], rng), 4) < 1e-9
    assert ranks([1.0, 5.0], [[0.0, 9.0], [2.0, 9.0]], rng).tolist() == [1, 0]
    with pytest.raises(ValueError, match="give 25 or more"):
        uniformity([0, 1, 2], 4)


def test_places_are_chosen_in_every_order_or_in_their_own() -> None:
    rng, text = np.random.default_rng(1), (A, B, STOP)
    free_order = {with_keywords(text, every_token, 2, rng) for _ in range(40)}
    assert {state.owners for state in free_order if state is not None} == {(0, 1, -2), (1, 0, -2)}
    assert with_keywords(text, every_token, 2, rng, ordered=True) == State(text, (0, 1, -2))
    assert with_keywords(text, every_token, 3, rng) is None
    glued = with_keywords((K, T, STOP), toy_words, 1, rng)
    assert glued is not None and keywords_of(glued) == ((K, T),)
