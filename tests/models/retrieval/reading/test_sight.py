"""A passage beside a question: units, the place of a span that stands in several, and the floor."""

from __future__ import annotations

import pytest
from hypothesis import given

from models.retrieval.reading.baseline import baseline
from models.retrieval.reading.form import Form
from models.retrieval.reading.sight import Sight, units
from models.retrieval.reading.spans import Span
from tests.models.retrieval.reading.passages import PASSAGES

ASKING = ["什么", "哪里", "的", "是", "what", "is", "the", "of"]
FORM = Form("P:", "Q:", "A:", " ", ASKING, [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("法国的货币是什么？", {"法", "国", "法国", "货", "币", "货币"}),
        ("What is the Code of FR?", {"code", "fr"}),
        ("ＦＲ　cafe\u0301", {"fr", "café"}),
        ("……", set()),
    ],
)
def test_units_are_words_and_pairs_but_for_those_that_ask(text: str, found: set[str]) -> None:
    assert units(text, ASKING) == found


def test_a_span_is_placed_where_the_question_leads() -> None:
    passage = "法国的货币是欧元。中国的官方语言是中文。德国的货币是欧元。"
    spans = [Span(6, 8), Span(26, 28)]
    assert {passage[a:b] for a, b in spans} == {"欧元"}
    assert Sight(passage, "德国的货币是什么？", FORM).place(spans) == spans[1]
    assert Sight(passage, "法国的货币是什么？", FORM).place(spans) == spans[0]
    assert Sight(passage, "？", FORM).place(spans) == spans[0]


@given(passage=PASSAGES, question=PASSAGES)
def test_the_floor_is_a_piece_of_the_passage(passage: str, question: str) -> None:
    found = baseline(Sight(passage, question, FORM))
    assert found is None or found in passage


def test_the_floor_takes_what_the_question_does_not_have() -> None:
    passage = "The code of France is FR. Japan has the yen."
    assert baseline(Sight(passage, "What is the code of France?", FORM)) == "FR"
    assert baseline(Sight("", "What?", FORM)) is None
