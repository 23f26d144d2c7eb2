"""Spans that may be answers: which there are, and that none is cut where nobody would."""

from __future__ import annotations

import pytest
import regex
from hypothesis import given

from models.retrieval.reading.spans import key_text, sentences_of, spans_of
from tests.models.retrieval.reading.passages import PASSAGES


def texts(passage: str, longest: int = 60) -> set[str]:
    return {passage[start:end] for start, end in spans_of(passage, longest)}


@given(passage=PASSAGES)
def test_spans_are_shown_balanced_whole_clusters_in_order(passage: str) -> None:
    spans = list(spans_of(passage, 12))
    assert spans == sorted(set(spans))
    clusters = {match.start() for match in regex.finditer(r"\X", passage)} | {len(passage)}
    for start, end in spans:
        text = passage[start:end]
        assert 0 <= start < end <= len(passage) and end - start <= 12
        assert {start, end} <= clusters
        assert key_text(text) and not text[0].isspace() and not text[-1].isspace()
        assert not set("。！？\n\r") & set(text)
        for opening, closing in ("（）", "《》", "«»", "()"):
            assert text.count(opening) == text.count(closing)


def test_chinese_spans_begin_and_end_between_any_characters() -> None:
    assert texts("是欧元。") == {"是", "是欧", "是欧元", "欧", "欧元", "元"}


def test_words_and_numbers_are_not_cut() -> None:
    assert texts("It cost 3.50, dear.") == {
        *("It", "It cost", "It cost 3.50", "It cost 3.50, dear", "cost", "cost 3.50", "cost 3.50, dear"),
        *("3.50", "3.50, dear", "dear"),
    }


@pytest.mark.parametrize(
    ("passage", "answer"),
    [
        ("Die Flagge ist 🇫🇷🇩🇪.", "🇫🇷"),
        ("She lives in Washington, D.C. now.", "Washington, D.C."),
        ("中国香港（特别行政区）用港元。", "中国香港（特别行政区）"),
        ("Its money is the US$.", "US$"),
        ("Côte d’Ivoire is far.", "Côte d’Ivoire"),
        ("Time in France goes by Europe/Paris.", "Europe/Paris"),
        ("他用5G手机。", "5G手机"),
        ("cafe\u0301 noir", "cafe\u0301"),
        ("《呐喊》是他写的", "《呐喊》"),
    ],
)
def test_what_people_would_answer_is_a_span(passage: str, answer: str) -> None:
    assert answer in texts(passage)


@pytest.mark.parametrize(
    ("passage", "cut"),
    [
        ("🇫🇷", "\U0001f1eb"),
        ("cafe\u0301", "cafe"),
        ("The euro.", "euro."),
        ("欧元，", "欧元，"),
        ("港（区）", "港（区"),
        ("甲。乙", "甲。乙"),
        ("don't", "don"),
    ],
)
def test_what_nobody_would_answer_is_none(passage: str, cut: str) -> None:
    assert cut not in texts(passage)


@pytest.mark.parametrize("passage", ["", "。", " \n\t", "\u200b\u200b", "——", "...", "（", "\u0301"])
def test_marks_alone_hold_no_span(passage: str) -> None:
    assert texts(passage) <= {"\u0301"}


@given(passage=PASSAGES)
def test_sentences_make_up_the_passage(passage: str) -> None:
    sentences = sentences_of(passage)
    assert "".join(passage[start:end] for start, end in sentences) == passage
    assert all(start < end for start, end in sentences)
