"""Readings over HTTP, in jobs and as a stream, on a tiny random model: spans are substrings, whatever is sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from starlette.testclient import TestClient

from models.retrieval.reading.spans import key_text
from tests.models.retrieval.reading.passages import PASSAGES

ROUTE = "/v1/readings"
PASSAGE = "我们今天去公园散步。\r\n他们在学校ｐａｒｋ看电影，很喜欢公园。🇫🇷🇩🇪"


def read(client: TestClient, **body: Any) -> Any:
    response = client.post(ROUTE, json={"passage": PASSAGE, **body})
    assert response.status_code == 200, response.text
    return response.json()


def check_spans(passage: str, spans: list[dict[str, Any]], longest: int = 60) -> None:
    for span in spans:
        assert passage[span["start"] : span["end"]] == span["text"] and 0 < len(span["text"]) <= longest
        places = [(place["start"], place["end"]) for place in span["occurrences"]]
        assert (span["start"], span["end"]) in places and places == sorted(set(places))
        assert {key_text(passage[start:end]) for start, end in places} == {key_text(span["text"])}
        assert 0 <= span["confidence"] <= 1 and span["score"] <= 1e-9


def test_spans_stand_where_the_answer_says(client: TestClient) -> None:
    answer = read(client, questions=["他们在哪里看电影？", "who?"], n=5)
    assert [one["language"] for one in answer["readings"]] == ["zh", "en"]
    for one in answer["readings"]:
        assert len(one["spans"]) == 5
        scores = [span["score"] for span in one["spans"]]
        assert scores == sorted(scores, reverse=True)
        check_spans(PASSAGE, one["spans"])
    assert answer["usage"]["spans"] > 100


def test_all_occurrences_are_told_in_whatever_spelling(client: TestClient) -> None:
    passage = "公园５Ｇ，公园5G。"
    (one,) = read(client, passage=passage, question="哪里？", mode="exact", n=32)["readings"]
    assert one["proven"]
    check_spans(passage, one["spans"])
    found = {span["text"]: [(place["start"], place["end"]) for place in span["occurrences"]] for span in one["spans"]}
    assert found["公园"] == [(0, 2), (5, 7)]
    assert found["５Ｇ"] == [(2, 4), (7, 9)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(passage=PASSAGES)
def test_whatever_the_passage_spans_are_substrings(client: TestClient, passage: str) -> None:
    response = client.post(ROUTE, json={"passage": passage, "question": "在哪里？", "longest": 9})
    assert response.status_code in (200, 422), response.text
    if response.status_code == 200:
        check_spans(passage, response.json()["readings"][0]["spans"], 9)


def test_the_same_request_has_the_same_answer_however_questions_are_sent(client: TestClient) -> None:
    questions = ["在哪里？", "谁喜欢公园？", "什么时候？"]
    together = read(client, questions=questions)["readings"]
    alone = [read(client, question=question)["readings"][0] for question in questions]
    assert [one["spans"] for one in together] == [one["spans"] for one in alone]


def test_a_passage_of_marks_has_no_answer(client: TestClient) -> None:
    (one,) = read(client, passage="。……！", question="谁？")["readings"]
    assert one["spans"] == [] and one["no_answer"]


def test_a_question_without_letters_is_a_question(client: TestClient) -> None:
    (one,) = read(client, question="🇫🇷？")["readings"]
    check_spans(PASSAGE, one["spans"])


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, ("question", "missing")),
        ({"question": "谁？", "questions": ["谁？"]}, ("questions", "contradictory")),
        ({"questions": []}, ("questions", "missing")),
        ({"question": " \n"}, ("question", "blank")),
        ({"question": "a\x00"}, ("question", "control-character")),
        ({"question": "谁" * 1001}, ("question", "too-long")),
        ({"questions": ["谁？"] * 65}, ("questions", "too-many")),
        ({"questions": ["谁？", "园" * 900]}, ("questions[1]", "too-long")),
        ({"question": "谁？", "passage": ""}, ("passage", "blank")),
        ({"question": "谁？", "passage": "\u200b"}, ("passage", "blank")),
        ({"question": "谁？", "passage": "\ud800"}, ("passage", "not-unicode")),
        ({"question": "谁？", "passage": 7}, ("passage", "wrong-type")),
        ({"question": "谁？", "passage": "园" * 100_000}, ("passage", "too-long")),
        ({"question": "谁？", "passage": "园" * 3_999}, ("passage", "too-long")),
        ({"question": "谁？", "n": 0}, ("n", "too-small")),
        ({"question": "谁？", "n": 33}, ("n", "too-large")),
        ({"question": "谁？", "n": 4, "beams": 2}, ("beams", "contradictory")),
        ({"question": "谁？", "longest": 0}, ("longest", "too-small")),
        ({"question": "谁？", "mode": "fast"}, ("mode", "unknown-value")),
        ({"question": "谁？", "query": "谁？"}, ("query", "unknown-field")),
    ],
)
def test_nonsense_is_refused_with_field_and_code(
    client: TestClient, body: dict[str, Any], fault: tuple[str, str]
) -> None:
    text = json.dumps({"passage": PASSAGE, **body})
    response = client.post(ROUTE, content=text, headers={"Content-Type": "application/json"})
    assert response.status_code == 422, response.text
    first = response.json()["errors"][0]
    assert (first["field"], first["code"]) == fault and first["remedy"]


def test_it_streams_each_answer_and_then_all(client: TestClient) -> None:
    body = {"passage": PASSAGE, "questions": ["谁？", "在哪里？"]}
    text = client.post(ROUTE, json={**body, "stream": True}).text
    events = [block.split("\n") for block in text.strip().split("\n\n") if block.startswith("event: ")]
    assert [lines[0] for lines in events] == ["event: answer", "event: answer", "event: done"]
    answers = {(data := json.loads(lines[1][6:])).pop("number"): data for lines in events[:2]}
    plain = client.post(ROUTE, json=body).json()["readings"]
    assert [answers[0], answers[1]] == plain == json.loads(events[2][1][6:])["readings"]


def test_a_job_holds_passages(client: TestClient) -> None:
    bodies = [{"passage": PASSAGE, "question": "谁？"}, {"passage": "the dog ran.", "questions": ["who ran?"]}]
    bad = client.post("/v1/jobs", json={"url": ROUTE, "bodies": [*bodies, {"passage": "。"}]})
    assert bad.json()["errors"][0]["field"] == "bodies[2].question"
    job = client.post("/v1/jobs", json={"url": ROUTE, "bodies": bodies}).json()["id"]
    while client.get(f"/v1/jobs/{job}").json()["status"] != "completed":
        pass
    lines = map(json.loads, client.get(f"/v1/jobs/{job}/results").text.splitlines())
    found = [line["response"]["body"]["readings"] for line in lines]
    assert found == [client.post(ROUTE, json=body).json()["readings"] for body in bodies]
