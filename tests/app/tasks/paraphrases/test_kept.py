"""What of a text is kept: words, numbers, names, and how often it says no."""

from __future__ import annotations

import pytest

from app.languages.registry import LANGUAGES
from app.tasks.paraphrases.kept import KINDS, kept_spans, name_spans, negations, numbers, word_spans


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("I paid 3.50 for two of the 1,000 cups in 2015.", ["3.50", "two", "1,000", "2015"]),
        ("Someone of often weighty tents.", []),
        ("第三季度有两百五十人，增长20%。", ["第三", "两百五十", "20"]),
        ("公司新建三座工厂。", ["三座"]),
        ("用户超过200多万人，上网1.94亿次。", ["200多万", "1.94亿"]),
        ("我们一起去，一定行。", []),
    ],
)
def test_numbers_in_figures_and_words(text: str, found: list[str]) -> None:
    assert numbers(text) == found


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("I do not know why nobody can't come.", 3),
        ("Nothing is never knotted.", 2),
        ("他不知道，也没有去，但别人去过。", 2),
        ("不过这非常特别，无论如何都好。", 0),
    ],
)
def test_negations_are_counted(text: str, count: int) -> None:
    assert len(negations(text)) == count


@pytest.mark.parametrize(
    ("language", "text", "found"),
    [
        ("en", "Is John Smith older than NASA, which I like?", ["John", "Smith", "NASA"]),
        ("en", "Paris is in France. It is big.", ["France"]),
        ("zh", "张伟教授昨天在上海用iPhone说话。", ["张伟", "上海", "iPhone"]),
    ],
)
def test_names(language: str, text: str, found: list[str]) -> None:
    assert [text[start:stop] for start, stop in name_spans(text, LANGUAGES[language])] == found


def test_words_are_whole_where_words_are_apart() -> None:
    assert word_spans("art", "The party loves art.", LANGUAGES["en"]) == [(16, 19)]
    assert word_spans("公园", "办公园区和公园", LANGUAGES["zh"]) == [(1, 3), (5, 7)]


def test_kinds_that_may_change_are_not_kept() -> None:
    text = "Ann paid 20 dollars to Bob."
    for kinds, found in ((KINDS, ["20", "dollars", "Bob"]), (("names",), ["dollars", "Bob"]), ((), ["dollars"])):
        spans = kept_spans(text, LANGUAGES["en"], ["dollars"], kinds)
        assert [text[start:stop] for start, stop in spans] == found
