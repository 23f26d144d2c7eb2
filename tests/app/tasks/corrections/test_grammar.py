"""Corrections that put in, leave out, exchange and reorder words, through the service."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.tasks.corrections.edits import applied
from app.tasks.corrections.registry import CORRECTED
from models.confusions.inflections import inflections
from tests.app.tasks.corrections.test_corrections import ask

CHINESE = ["他们在公园里散步了，我在学校工作。", "我和你和你去看电影、吃饭", "她说说今天是晴天。"]
ENGLISH = ["He walk in the park with dogs.", "The cat eat food at a house", "I like teh red book, and it is on tree."]


def readings(texts: list[str], client: TestClient, **options: Any) -> list[tuple[str, dict[str, Any]]]:
    """Every edit made, with its text, after a look at its offsets."""
    found = []
    for text, one in zip(texts, ask(client, texts, **options), strict=True):
        assert one["target"] == applied([(e["start"], e["end"], e["new"]) for e in one["edits"]], text)
        for edit in one["edits"]:
            assert text[edit["start"] : edit["end"]] == edit["old"] != edit["new"]
        found += [(text, edit) for edit in one["edits"]]
    return found


@pytest.mark.parametrize("kind", ["missing", "redundant", "function_word", "punctuation", "reordered"])
def test_a_kind_of_chinese_grammar_alone(client: TestClient, kind: str) -> None:
    edits = readings(CHINESE, client, kinds=[kind])
    assert edits and {edit["kind"] for _, edit in edits} == {kind}
    for _, edit in edits:
        old, new = edit["old"], edit["new"]
        if kind == "missing":
            assert old == "" and edit["start"] == edit["end"]
        elif kind == "redundant":
            assert new == "" and old not in "，。、"
        elif kind == "reordered":
            assert sorted(old) == sorted(new)
        elif kind == "punctuation":
            assert {*old, *new} <= set("，。、") and new
        elif kind == "function_word":
            assert old and new


def test_how_sure_a_single_edit_is_does_not_hang_on_the_kinds_asked_for(client: TestClient) -> None:
    every = {
        (e["start"], e["end"], e["new"]): e for _, e in readings(CHINESE[:1], client, kinds=CORRECTED["zh"].single)
    }
    for kind in CORRECTED["zh"].single:
        alone = {(e["start"], e["end"], e["new"]): e for _, e in readings(CHINESE[:1], client, kinds=[kind])}
        both = alone.keys() & every.keys()
        assert {place: alone[place]["confidence"] for place in both} == {
            place: pytest.approx(every[place]["confidence"], rel=1e-3) for place in both
        }
        assert both == {place for place, edit in every.items() if edit["kind"] == kind}


def test_single_edits_stand_apart(client: TestClient) -> None:
    for text in CHINESE:
        (one,) = ask(client, [text], kinds=list(CORRECTED["zh"].single))
        edits = one["edits"]
        assert len(edits) > 1
        assert all(before["end"] + 1 < after["start"] for before, after in pairwise(edits))


def test_single_edits_above_a_confidence_are_those_of_a_lower_one_that_have_it(client: TestClient) -> None:
    kinds = [*CORRECTED["zh"].kinds, *CORRECTED["zh"].single]
    every = [edit for one in ask(client, CHINESE, kinds=kinds) for edit in one["edits"]]
    for least in sorted({edit["confidence"] for edit in every})[::3]:
        kept = [edit for one in ask(client, CHINESE, kinds=kinds, confidence=least) for edit in one["edits"]]
        assert kept == [edit for edit in every if edit["confidence"] >= least]


def test_grammar_is_looked_for_only_if_named(client: TestClient) -> None:
    grammar = {"missing", "redundant", "function_word", "punctuation", "reordered"}
    assert not {edit["kind"] for _, edit in readings(CHINESE, client)} & grammar
    assert set(CORRECTED["zh"].optional) == {*grammar, "variant"}


def test_letters_digits_and_marks_are_not_left_out(client: TestClient) -> None:
    text = "在在APP11，，我看看2看看"
    for _, edit in readings([text], client, kinds=["redundant", "reordered"]):
        assert not set(edit["old"]) & set("AP12，")


@pytest.mark.parametrize("kind", ["spelling", "inflection", "article", "preposition"])
def test_a_kind_of_english_alone(client: TestClient, kind: str) -> None:
    edits = readings(ENGLISH, client, kinds=[kind])
    assert edits and {edit["kind"] for _, edit in edits} == {kind}
    for text, edit in edits:
        old, new = edit["old"], edit["new"]
        if kind == "inflection":
            assert new.lower() in inflections(old.lower())
        elif kind == "article":
            assert {old.strip().lower(), new.strip().lower()} <= {"", "a", "an", "the"}
        if old[:1].isupper() or edit["start"] == 0:
            assert new[0].isupper(), text


def test_protected_words_stay_whole(client: TestClient) -> None:
    protected = {"zh": (CHINESE[0], ["在公园里散步", "我在"]), "en": (ENGLISH[0], ["walk in the", "dogs"])}
    for text, words in protected.values():
        kinds = [kind for language in CORRECTED.values() for kind in (*language.kinds, *language.optional)]
        own = [kind for kind in kinds if text.isascii() == (kind in CORRECTED["en"].kinds) or kind == "listed"]
        (one,) = ask(client, [text], protect=words, kinds=list(dict.fromkeys(own)))
        assert one["edits"] and all(word in one["target"] for word in words)


def test_pairs_and_names_of_english_texts(client: TestClient) -> None:
    options: dict[str, Any] = {"kinds": ["listed"], "alternatives": 16}
    (one,) = ask(client, ["I read teh book at York."], edits=[{"old": "teh book", "new": "a big book"}], **options)
    assert "I read a big book at York." in {one["target"], *(each["target"] for each in one["alternatives"])}
    (kept,) = ask(client, ["Dogs run."], names=["Dogs"])
    assert kept["target"].startswith("Dogs ")
    (meant,) = ask(client, ["We like Dogz."], names=["Dogs"], **options)
    assert "We like Dogs." in {meant["target"], *(each["target"] for each in meant["alternatives"])}


def test_long_english_texts_are_cut_between_words(client: TestClient) -> None:
    text = "The dog run in the park and " * 40
    (one,) = ask(client, [text.strip()], kinds=["inflection"])
    assert {edit["old"] for edit in one["edits"]} <= {"dog", "run", "park"} and one["edits"]


def test_texts_of_both_languages_take_the_kinds_of_each(client: TestClient) -> None:
    texts = [CHINESE[0], ENGLISH[0]]
    chinese, english = ask(client, texts, kinds=["missing", "article"])
    assert (chinese["language"], english["language"]) == ("zh", "en")
    assert {edit["kind"] for edit in chinese["edits"]} <= {"missing"}
    assert {edit["kind"] for edit in english["edits"]} <= {"article"}


def test_a_kind_of_no_texts_language_is_refused(client: TestClient) -> None:
    body = {"texts": ["I read."], "kinds": ["spelling", "homophone"]}
    response = client.post("/v1/corrections", json=body)
    assert response.status_code == 422
    (fault,) = response.json()["errors"]
    assert (fault["field"], fault["code"]) == ("kinds[1]", "no-effect") and "article" in fault["remedy"]
