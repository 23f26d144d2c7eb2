"""GLEU against sums made by hand."""

from __future__ import annotations

from math import exp

import pytest

from app.cli.evaluate.gleu import gleu

SOURCE, REFERENCE = "he go to school by bus", "he goes to school by bus"


def test_a_text_like_its_reference_has_the_greatest() -> None:
    assert gleu([SOURCE], [REFERENCE], [[REFERENCE]]) == pytest.approx(1.0)


def test_what_should_have_been_changed_counts_against_it() -> None:
    # Of 6, 5, 4 and 3 n-grams of the source 5, 3, 2 and 1 are shared, and 1, 2, 2 and 2 should be others.
    assert gleu([SOURCE], [SOURCE], [[REFERENCE]]) == 0.0  # 1 - 2 four-grams is none
    longer, reference = f"{SOURCE} every single day", f"{REFERENCE} every single day"
    expected = ((8 - 1) / 9 * (6 - 2) / 8 * (5 - 2) / 7 * (4 - 2) / 6) ** (1 / 4)
    assert gleu([longer], [longer], [[reference]]) == pytest.approx(expected)


def test_short_texts_pay() -> None:
    assert gleu(["x"], ["a b c d"], [["a b c d e"]]) == pytest.approx(exp(1 - 5 / 4))


def test_references_are_drawn_for_each_text() -> None:
    texts = ["a b c d e f", "g h i j k l"]
    several = gleu(texts, texts, [[texts[0], "a b c d x f"], [texts[1]]])
    single = [gleu(texts, texts, [[own], [texts[1]]]) for own in (texts[0], "a b c d x f")]
    assert min(single) < several < max(single)
    assert several == gleu(texts, texts, [[texts[0], "a b c d x f"], [texts[1]]])
