"""Corrections through the service: what is not an edit stays to the character, and what is asked holds."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.tasks.corrections.edits import applied
from app.tasks.corrections.schemas import CorrectionsAnswer
from models.confusions.pinyin import homophones
from tests.support.event_streams import events_in

TEXTS = ["他们是学生。", "今天早上学校有人，我在看书。", "时手机的\n工作", "她１说\u200b是　吃饭！", "書园", "！？"]
"""Of the characters that the tiny model has tokens for some sound alike: 他她, 是时, 公工."""


def ask(client: TestClient, texts: list[str], **options: Any) -> list[dict[str, Any]]:
    response = client.post("/v1/corrections", json={"texts": texts, "confidence": 0, **options})
    assert response.status_code == 200, response.text
    corrections: list[dict[str, Any]] = CorrectionsAnswer.model_validate(response.json()).model_dump()["corrections"]
    return corrections


def test_what_is_not_edited_stays_to_the_character(client: TestClient) -> None:
    corrections = ask(client, TEXTS)
    assert [one["source"] for one in corrections] == TEXTS
    assert sum(len(one["edits"]) for one in corrections) > 3
    for text, one in zip(TEXTS, corrections, strict=True):
        assert one["changed"] == bool(one["edits"]) == (one["target"] != text)
        assert one["target"] == applied([(e["start"], e["end"], e["new"]) for e in one["edits"]], text)
        assert len(one["target"]) == len(text)
        for edit in one["edits"]:
            assert text[edit["start"] : edit["end"]] == edit["old"] != edit["new"]
            assert 0 < edit["confidence"] <= 1
        assert one["target"] not in [each["target"] for each in one["alternatives"]]


def test_a_text_is_corrected_as_if_sent_alone(client: TestClient) -> None:
    together = ask(client, TEXTS)
    for text, one in zip(TEXTS, together, strict=True):
        assert ask(client, [text]) == [one]


def test_a_kind_that_is_off_changes_nothing(client: TestClient) -> None:
    for kind in ("homophone", "near_homophone", "lookalike"):
        edits = [edit for one in ask(client, TEXTS, kinds=[kind]) for edit in one["edits"]]
        assert edits and {edit["kind"] for edit in edits} == {kind}
        if kind == "homophone":
            for edit in edits:
                assert all(new in homophones(old) for old, new in zip(edit["old"], edit["new"], strict=True))
    assert not any(one["changed"] for one in ask(client, TEXTS, kinds=["listed"]))


def test_confidence_is_the_least_of_an_edit(client: TestClient) -> None:
    edits = [edit for one in ask(client, TEXTS) for edit in one["edits"]]
    for least in (0.3, 0.6, 0.9):
        kept = [edit for one in ask(client, TEXTS, confidence=least) for edit in one["edits"]]
        assert kept == [edit for edit in edits if edit["confidence"] >= least]


def test_what_is_protected_stays(client: TestClient) -> None:
    for one in ask(client, TEXTS[:2], protect=["他们", "学", "在看"]):
        for word in ("他们", "学", "在看"):
            assert one["source"].count(word) == one["target"].count(word)
    edited = {edit["start"] for edit in ask(client, TEXTS[:1])[0]["edits"]}
    assert edited and ask(client, TEXTS[:1], protect=[TEXTS[0]])[0]["edits"] == []


def test_pairs_may_be_of_any_length(client: TestClient) -> None:
    pairs = [{"old": "学生", "new": "老师们"}, {"old": "。", "new": "！"}, {"old": "是", "new": "不是"}]
    (one,) = ask(client, ["他们是学生。"], edits=pairs, kinds=["listed"], alternatives=16)
    readings = {one["target"], *(each["target"] for each in one["alternatives"])}
    assert "他们是学生。" in readings
    for pair in pairs:
        assert any(pair["new"] in reading for reading in readings)
    for edit in one["edits"]:
        assert edit["kind"] == "listed" and {"old": edit["old"], "new": edit["new"]} in pairs


def test_names_are_kept_and_meant(client: TestClient) -> None:
    names = [f"名{number}" for number in range(2000)] + ["她是明"]
    (kept, meant) = ask(client, ["她是明说。", "他时明说。"], names=names, kinds=["listed"], alternatives=16)
    assert kept["target"] == "她是明说。"
    assert "她是明说。" in {meant["target"], *(each["target"] for each in meant["alternatives"])}


def test_long_texts_are_corrected_in_pieces(client: TestClient) -> None:
    text = "今天早上学校有人，我在看书。" * 40 + "我" * 300
    (one,) = ask(client, [text])
    assert len(one["target"]) == len(text)
    # Each piece by itself, so that the same piece has the same edits.
    starts = {edit["start"] for edit in one["edits"]}
    assert {start + 126 for start in starts if start < 126} <= starts


def test_a_stream_tells_each_text_as_it_is_done(client: TestClient) -> None:
    body = {"texts": TEXTS, "confidence": 0, "stream": True}
    with client.stream("POST", "/v1/corrections", json=body) as response:
        events = [event for event in events_in(response.iter_lines()) if event[0]]
    assert [name for name, _ in events] == ["correction"] * len(TEXTS) + ["done"]
    done = events[-1][1]["corrections"]
    assert sorted(data["number"] for _, data in events[:-1]) == list(range(len(TEXTS)))
    assert all(done[data["number"]] == data["correction"] for _, data in events[:-1])
    assert done == ask(client, TEXTS)


@pytest.mark.parametrize(
    ("body", "field", "code"),
    [
        ({}, "texts", "missing"),
        ({"texts": []}, "texts", "missing"),
        ({"texts": ["他", " \n"]}, "texts[1]", "blank"),
        ({"texts": ["他\x00"]}, "texts[0]", "control-character"),
        ({"texts": ["\ud800"]}, "texts[0]", "not-unicode"),
        ({"texts": ["他" * 10_000]}, "texts[0]", "too-long"),
        ({"texts": ["他"] * 1001}, "texts", "too-many"),
        ({"texts": ["他" * 2000] * 51}, "texts", "too-long"),
        ({"texts": ["the dog"], "kinds": ["missing"]}, "kinds[0]", "no-effect"),
        ({"texts": ["他"], "protect": ["她"]}, "protect[0]", "not-found"),
        ({"texts": ["他"], "kinds": ["grammar"]}, "kinds[0]", "unknown-value"),
        ({"texts": ["他"], "kinds": []}, "kinds", "missing"),
        ({"texts": ["他"], "edits": [{"old": "他"}]}, "edits[0].new", "missing"),
        ({"texts": ["他"], "edits": [{"old": "他", "new": " "}]}, "edits[0].new", "blank"),
        ({"texts": ["他"], "edits": [{"old": "他", "new": "他"}]}, "edits[0]", "no-effect"),
        ({"texts": ["他"], "names": ["他" * 101]}, "names[0]", "too-long"),
        ({"texts": ["他"], "confidence": 1.5}, "confidence", "too-large"),
        ({"texts": ["他"], "confidence": "NaN"}, "confidence", "wrong-type"),
        ({"texts": ["他"], "context": "他" * 9000}, "context", "too-long"),
        ({"texts": ["他"], "seed": 1}, "seed", "unknown-field"),
    ],
)
def test_bad_input_names_field_and_code(client: TestClient, body: dict[str, Any], field: str, code: str) -> None:
    response = client.post("/v1/corrections", content=json.dumps(body), headers={"content-type": "application/json"})
    assert response.status_code == 422, response.text
    faults = response.json()["errors"]
    assert (faults[0]["field"], faults[0]["code"]) == (field, code)
    assert faults[0]["remedy"]
