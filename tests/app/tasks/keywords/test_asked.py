"""What people ask of sentences beside keywords: openings, endings, counts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.languages.registry import LANGUAGES
from app.tasks.keywords.task import Sentences
from tests.app.tasks.keywords.test_sentences import ask, texts


def fault(client: TestClient, **body: Any) -> tuple[str, str]:
    """Field and code of the only fault of a request."""
    response = client.post("/v1/sentences", json=body)
    assert response.status_code == 422, response.text
    (found,) = response.json()["errors"]
    assert found["message"] and found["remedy"]
    return found["field"], found["code"]


@pytest.mark.parametrize(
    ("body", "pattern"),
    [
        ({"keywords": ["公园"], "starts_with": "今天早上"}, r"今天早上.*公园.*"),
        ({"keywords": ["今天", "公园"], "starts_with": "今天早上"}, r"今天早上.*公园.*"),
        ({"keywords": ["dog"], "starts_with": "The man"}, r"The man\b.*\bdog\b.*"),
        ({"keywords": ["公园"], "ends_with": "很美丽"}, r".*公园.*很美丽[。！？]"),
        ({"keywords": ["公园"], "ends_with": "去公园！"}, r".*去公园！"),
        ({"keywords": ["dog"], "ends_with": "?"}, r".*\bdog\b.*\?"),
        ({"keywords": ["dog"], "ends_with": ", I run."}, r"(?=.*\bdog\b).*\w, I run\."),
        ({"keywords": ["公园"], "starts_with": "我们", "ends_with": "吃饭。"}, r"我们.*公园.*吃饭。"),
    ],
)
def test_openings_and_endings_hold_from_the_first_state(client: TestClient, body: dict[str, Any], pattern: str) -> None:
    found = texts(ask(client, samples=20, **body))
    assert len(found) > 1
    assert all(re.fullmatch(pattern, text) for text in found), found


def test_a_keyword_that_the_opening_holds_is_not_laid_out_again(client: TestClient) -> None:
    body = {"keywords": ["今天", "公园"], "starts_with": "今天", "length": {"max": 6}}
    assert any(text.count("今天") == 1 for text in texts(ask(client, samples=20, **body)))


@pytest.mark.parametrize(
    ("keywords", "outer", "placed"),
    [
        (["今天", "公园"], {"starts_with": "今天公园"}, False),
        (["公园", "今天"], {"starts_with": "今天公园"}, True),
        (["今天", "公园"], {"starts_with": "今天", "ends_with": "公园"}, False),
        (["公园", "今天"], {"starts_with": "今天", "ends_with": "公园"}, True),
    ],
)
def test_in_order_a_text_holds_the_keywords_at_its_side(
    client: TestClient, keywords: list[str], outer: dict[str, str], placed: bool
) -> None:
    for text in texts(ask(client, keywords=keywords, ordered=True, samples=10, **outer)):
        assert re.search(".*".join(keywords), text)
        assert (text.count("今天") + text.count("公园") > 2) >= placed


@pytest.mark.parametrize(
    ("body", "phrase", "least", "most"),
    [
        ({"keywords": ["今天"]}, "公园", 2, 2),
        ({"keywords": ["今天", "公园"]}, "公", 2, 3),
        ({"keywords": ["今天", "人"], "ordered": True}, "的", 3, 3),
        ({"keywords": ["dog"]}, "the", 2, 3),
        ({"keywords": ["dog", "park"]}, "dog", 0, 1),
        ({"keywords": ["dog"], "starts_with": "The cat", "ends_with": "with the man."}, "the", 2, 2),
    ],
)
def test_counts(client: TestClient, body: dict[str, Any], phrase: str, least: int, most: int) -> None:
    counts = [{"phrase": phrase, "at_least": least, "at_most": most}]
    for text in texts(ask(client, counts=counts, samples=20, **body)):
        edge = r"\b" if phrase.isascii() else ""
        assert least <= len(re.findall(f"{edge}{phrase}{edge}", text, re.IGNORECASE)) <= most, text


@pytest.mark.parametrize(
    ("body", "words", "function_words"),
    [
        ({"keywords": ["公园"], "length": {"min": 9}}, ["学生", "老师", "喜欢", "我"], False),
        ({"keywords": ["公园", "散步"], "length": {"min": 8}}, ["喜欢", "音乐"], True),
        ({"keywords": ["big dog"], "length": {"min": 7}}, ["the", "cat", "runs", "in"], False),
        ({"keywords": ["park"], "length": {"min": 7}, "starts_with": "The cat"}, ["cat", "runs"], True),
    ],
)
def test_only_words_of_a_list(client: TestClient, body: dict[str, Any], words: list[str], function_words: bool) -> None:
    language = LANGUAGES["en" if words[0].isascii() else "zh"]
    allowed = {*words, *" ".join(body["keywords"]).split(), *(language.function_words if function_words else ())}
    found = texts(ask(client, vocabulary={"words": words, "function_words": function_words}, samples=20, **body))
    assert len(found) > 1
    for text in found:
        said = [text[start:stop] for start, stop in language.word_spans(text)]
        said[0] = said[0] if said[0] in allowed else said[0].lower()
        assert {*said} <= allowed, text


@pytest.mark.parametrize(
    "body",
    [
        {"keywords": ["公园"], "acrostic": "今晚上"},
        {"keywords": ["公园", "散步"], "acrostic": "我你", "ordered": True},
        {"keywords": ["公园"], "acrostic": "今我", "starts_with": "今天"},
        {"keywords": ["公园"], "acrostic": "今我人", "starts_with": "今天，", "ends_with": "人。"},
        {"keywords": ["公园"], "acrostic": "今晚我", "ends_with": "天，我喜欢！"},
        {"keywords": ["公园"], "acrostic": "我学", "vocabulary": {"words": ["我们", "喜欢", "学校"]}},
        {"keywords": ["dog"], "acrostic": "TAI"},
        {"keywords": ["dog"], "acrostic": "wit", "starts_with": "We run,"},
    ],
)
def test_acrostics(client: TestClient, body: dict[str, Any]) -> None:
    found = texts(ask(client, samples=20, **body))
    assert found
    for text in found:
        clauses = [clause.strip() for clause in re.split("[，；。！？,.!?]", text) if clause.strip()]
        assert "".join(clause[0].lower() for clause in clauses) == body["acrostic"].lower(), text


COUNTED = {"phrase": "公园", "at_least": 1}


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({"starts_with": "昨天", "forbidden": ["昨"]}, "starts_with", "contradictory"),
        ({"ends_with": "散步！", "forbidden": ["散步"]}, "ends_with", "contradictory"),
        ({"ends_with": "散步！", "forbidden": ["！"]}, "ends_with", "contradictory"),
        ({"counts": [COUNTED], "forbidden": ["公"]}, "counts[0].phrase", "contradictory"),
        ({"counts": [COUNTED | {"at_most": 0}]}, "counts[0].at_least", "contradictory"),
        ({"counts": [{"phrase": "今", "at_most": 0}]}, "counts[0].at_most", "contradictory"),
        ({"counts": [COUNTED | {"at_least": 3}]}, "counts[0].at_least", "contradictory"),
        ({"counts": [{"phrase": "公园"}]}, "counts[0]", "no-effect"),
        ({"counts": [COUNTED | {"at_least": -1}]}, "counts[0].at_least", "too-small"),
        ({"counts": [COUNTED | {"at_least": 65}]}, "counts", "too-large"),
        ({"counts": [{"phrase": " ", "at_least": 1}]}, "counts[0].phrase", "blank"),
        ({"starts_with": "今天😀"}, "starts_with", "unspellable"),
        ({"starts_with": " "}, "starts_with", "blank"),
        ({"ends_with": "去" * 101}, "ends_with", "too-long"),
        ({"starts_with": "早上", "ends_with": "公园", "length": {"max": 6}}, "length.max", "too-small"),
        ({"vocabulary": {"words": ["我"]}, "starts_with": "我们"}, "starts_with", "contradictory"),
        ({"vocabulary": {"words": ["我"]}, "counts": [COUNTED]}, "counts[0].phrase", "contradictory"),
        ({"vocabulary": {"words": []}}, "vocabulary.words", "too-few"),
        ({"vocabulary": {"words": ["我", ""]}}, "vocabulary.words[1]", "blank"),
        ({"vocabulary": {"words": ["我"]}, "length": {"min": 299}}, "keywords", "infeasible"),
        ({"acrostic": "早晚", "starts_with": "今天"}, "acrostic", "contradictory"),
        ({"acrostic": "早晚", "ends_with": "天，今天。"}, "acrostic", "contradictory"),
        ({"acrostic": "早", "starts_with": "早上，晚上"}, "acrostic", "contradictory"),
        ({"acrostic": "早晚", "ends_with": "，早，晚。"}, "acrostic", "contradictory"),
        ({"acrostic": "早，"}, "acrostic", "malformed"),
        ({"acrostic": "早😀"}, "acrostic", "malformed"),
        ({"acrostic": "早晚", "length": {"max": 5}}, "length.max", "too-small"),
        ({"ends_with": "，"}, "keywords", "infeasible"),
    ],
)
def test_what_cannot_be_met_is_refused(client: TestClient, body: dict[str, Any], field: str, code: str) -> None:
    assert fault(client, keywords=["今天"], **body) == (field, code)


def test_a_language_without_function_words_says_so(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(LANGUAGES["zh"]), "function_words", frozenset())
    asked = {"words": ["我"], "function_words": True}
    assert fault(client, keywords=["今天"], vocabulary=asked) == ("vocabulary.function_words", "no-effect")


def test_an_english_opening_needs_a_capital(client: TestClient) -> None:
    assert fault(client, keywords=["dog"], starts_with="the man") == ("starts_with", "contradictory")


def test_counts_on_the_command_line() -> None:
    body = Sentences.body_of({"keywords": ["a"], "counts": ["the>=2", "big dog <= 3", "odd"]})
    assert body["counts"] == [{"phrase": "the", "at_least": 2}, {"phrase": "big dog", "at_most": 3}, {"phrase": "odd"}]
