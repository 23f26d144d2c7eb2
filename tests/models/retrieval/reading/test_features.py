"""What an order looks at: units, cover, the place of a span that stands in several, and the floor."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from models.retrieval.reading.baseline import baseline
from models.retrieval.reading.features import FEATURES, Sight, units
from models.retrieval.reading.form import Form
from models.retrieval.reading.order import MAX_MARGIN, SURENESS, columns_of, sureness
from models.retrieval.reading.spans import Span, spans_of
from samplers.constraints.words import spaced_boundaries
from tests.models.retrieval.reading.passages import PASSAGES

ASKING = ["什么", "哪里", "的", "是", "what", "is", "the", "of"]
FORM = Form("P:", "Q:", "A:", " ", ASKING, "的", ["它", "it", "its"], spaced_boundaries, [])


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


def test_what_stands_near_covers_and_the_rest_is_not_told() -> None:
    passage = "Chad is hot. France has the code. Mali is flat."
    sight = Sight(passage, "What is the code of Chad, what is the flag?", FORM)
    chad, france = (sight.near(Span(at := passage.index(name), at + 1)) for name in ("Chad", "France"))
    assert 0 < chad < france == pytest.approx(sight.told) and sight.told < 1, "no flag is told of"


def test_a_span_is_placed_where_the_question_leads() -> None:
    passage = "法国的货币是欧元。中国的官方语言是中文。德国的货币是欧元。"
    spans = [Span(6, 8), Span(26, 28)]
    assert {passage[a:b] for a, b in spans} == {"欧元"}
    assert Sight(passage, "德国的货币是什么？", FORM).place(spans) == spans[1]
    assert Sight(passage, "法国的货币是什么？", FORM).place(spans) == spans[0]
    assert Sight(passage, "？", FORM).place(spans) == spans[0]


@given(passage=PASSAGES, question=PASSAGES)
def test_features_are_finite_whatever_is_asked(passage: str, question: str) -> None:
    sight = Sight(passage, question, FORM)
    spans = list(spans_of(passage, 9))[:20]
    columns = sight.columns(spans)
    assert columns.shape == (len(spans), len(FEATURES)) and np.isfinite(columns).all()
    if spans:
        scores = columns_of(columns, *(np.full((2, len(spans)), -1.0).tolist()), [2] * len(spans))
        row = sureness(sight, spans, scores, np.linspace(-1, -5, len(spans)), -2.0)
        assert row.shape == (1, len(SURENESS)) and np.isfinite(row).all()
        assert len(spans) > 1 or row[0, 1] == MAX_MARGIN
    found = baseline(sight)
    assert found is None or found in passage


def test_features_tell_what_stands_around_a_span() -> None:
    passage = "法国的货币是欧元，代码是FR。日本的货币是日元。"
    sight = Sight(passage, "日本的货币是什么？", FORM)
    texts = ["日元", "是日元", "欧元", "货币"]
    spans = [Span(at := passage.index(text), at + len(text)) for text in texts]
    rows = [dict(zip(FEATURES, row, strict=True)) for row in sight.columns(spans)]
    right, long, other, asked = rows
    assert right["best_sentence"] and not other["best_sentence"] and right["clause"] > other["clause"]
    assert long["outer"] and not right["outer"]
    assert right["right"] and not right["left"] and not asked["right"]
    assert asked["asked"] == 1 and right["asked"] < 1


def test_the_floor_takes_what_the_question_does_not_have() -> None:
    passage = "The code of France is FR. Japan has the yen."
    assert baseline(Sight(passage, "What is the code of France?", FORM)) == "FR"
    assert baseline(Sight("", "What?", FORM)) is None


def test_a_subject_named_before_counts() -> None:
    passage = "We come to Chad. Its code is TD. We come to Mali. Its code is ML."
    sight = Sight(passage, "What is the code of Mali?", FORM)
    names = FEATURES.index("before")
    _, ml = sight.columns([Span(29, 31), Span(62, 64)])
    assert ml[names] > 0 and passage[62:64] == "ML"
    assert sight.near(Span(62, 64)) == pytest.approx(1)


def test_a_span_cut_within_a_word_or_over_a_sentence_is_seen() -> None:
    passage = "Its time zone is Asia/Tokyo. Here is more."
    sight = Sight(passage, "What is the time zone?", FORM)
    glued, crosses = FEATURES.index("glued"), FEATURES.index("crosses")
    for text, expected in (("Tokyo", (1, 0)), ("Asia", (1, 0)), ("Asia/Tokyo", (0, 0)), ("Tokyo. Here", (1, 1))):
        (row,) = sight.columns([Span(at := passage.index(text), at + len(text))])
        assert (row[glued], row[crosses]) == expected, text


@pytest.mark.parametrize(
    ("feature", "passage", "question", "values"),
    [
        (
            "topic",
            "We come to Chad. Its code is TD. Mali is flat. Its code is ML. Of codes, XY is new.",
            "What is the code of Chad?",
            {"Chad": 1, "TD": 1, "Mali": 0, "ML": 0, "XY": 0},
        ),
        (
            "topic",
            "下面介绍法国。它的代码是FR。日本多山。它的代码是JP。XY是新代码。",
            "法国的代码是什么？",
            {"法国": 1, "FR": 1, "日本": 0, "JP": 0, "XY": 0},
        ),
        (
            "capitals",
            "Of Bern spoke Anna Berg Lund, of the North.",
            "Who?",
            {"Bern": 0, "spoke": 2, "Anna": 1, "Berg": 2, "Lund": 1, "Anna Berg Lund": 0, "North": 0},
        ),
        ("capitals", "他叫Anna Berg，住在山上。", "谁？", {"Anna": 1, "Berg": 1, "Anna Berg": 0, "山": 0}),
        ("turns", "It costs 5€ in 東京 now.", "What?", {"5": 1, "€": 1, "5€": 0, "東京": 0}),
        ("turns", "铁用Fe表示。", "什么？", {"Fe": 2, "Fe表示": 1, "用Fe": 1, "用Fe表示": 0, "铁": 0}),
        ("mixed", "It costs 5€ in 東京 now.", "What?", {"5": 0, "5€": 1, "5€ in": 2, "in 東京 now": 2}),
        ("mixed", "铁用Fe表示。", "什么？", {"Fe": 0, "用Fe": 1, "用Fe表示": 2, "铁用": 0}),
        (
            "falls",
            "In the town of Bern, by the river.",
            "What?",
            {"town of Bern": 1, "Bern": 0, "town": 0, "the river": 0, "In the town": 0},
        ),
        ("falls", "他说in Bern，不说Bern。", "什么？", {"in Bern": 1, "in": 0, "Bern": 0, "说in": 0}),
        ("clauses", "He ran, and she sat.", "Who?", {"ran, and": 1, "He ran": 0, "she sat": 0, "ran, and she sat": 1}),
        ("clauses", "他在北京，她在上海。", "谁？", {"北京，她": 1, "北京": 0, "她在上海": 0}),
    ],
)
def test_a_feature_tells_spans_apart(feature: str, passage: str, question: str, values: dict[str, float]) -> None:
    spans = [Span(at := passage.index(text), at + len(text)) for text in values]
    column = Sight(passage, question, FORM).columns(spans)[:, FEATURES.index(feature)]
    assert dict(zip(values, column.tolist(), strict=True)) == values


@pytest.mark.parametrize(
    ("passage", "question", "known"),
    [
        ("The code of Chad is TD.", "What is the code of Chad?", 1),
        ("The code of Chad is TD.", "What is the code of Mali?", 0),
        ("The code of Chad is TD.", "What is the code?", 0),
        ("The code of Chad is TD.", "Chad has which code?", 1),
        ("法国的代码是FR。", "法国的代码是什么？", 1),
        ("法国的代码是FR。", "日本的代码是什么？", 0),
        ("法国的代码是FR。", "FR是什么？", 1),
    ],
)
def test_what_a_question_names_is_known_or_not(passage: str, question: str, known: float) -> None:
    assert Sight(passage, question, FORM).known == known


def test_some_of_what_a_question_names_is_known_in_part() -> None:
    sight = Sight("The code of Chad is TD.", "What is the border of Chad and Mali?", FORM)
    assert 0 < sight.known < 1
