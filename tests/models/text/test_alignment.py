"""Alignment: the normal form of a name, each character with its place in the text as given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.text.alignment import AlignedText
from models.text.normalisation import normalise_name

ODD = st.sampled_from(
    list(
        "abZ <>é\u0301\u0323\u0344\u0327\t\r\n\u3000\u00a0\u200b\u200d\u200c\ufeff\u00ad\ufe0fＡ５，今天👨👩"
        "\u1100\u1161\u11a8가\u0628\u0915\u094d\U0001f1e8\U000e0041"
    )
)


@given(st.one_of(st.text(ODD, max_size=12), st.text(max_size=12)))
def test_the_form_is_that_of_the_whole_and_places_never_go_back(text: str) -> None:
    aligned = AlignedText.of(text)
    assert aligned.normal == normalise_name(text)
    assert len(aligned.normal) == len(aligned.starts) == len(aligned.stops)
    places = list(zip(aligned.starts, aligned.stops, strict=True))
    assert all(0 <= start < stop <= len(text) for start, stop in places)
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("given_", "part", "stands"),
    [
        ("Cura\u0327c\u0327ao", "çao", "c\u0327ao"),
        ("在ＡＢ里", "AB", "ＡＢ"),
        ("去👨\u200d👩\u200d👧法\u200b国。", "法国", "法\u200b国"),
        ("  a \r\n b", "a b", "a \r\n b"),
        ("\ufeffNew\u3000York", "New York", "New\u3000York"),
    ],
)
def test_spans_lead_back(given_: str, part: str, stands: str) -> None:
    aligned = AlignedText.of(given_)
    at = aligned.normal.index(part)
    start, stop = aligned.span(at, at + len(part))
    assert given_[start:stop] == stands
