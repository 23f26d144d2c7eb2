"""POST /v1/indexes/{name}/search, with a tiny random model over a real index."""

from __future__ import annotations

import json
import math
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.main import create_app
from app.settings.settings import Limits, Settings
from tests.app.conftest import wait_until_ready
from tests.app.web.test_bad_input import assert_problem
from tests.support import facts
from tests.support.event_streams import read_events
from tests.support.live import post, serving, until


@pytest.fixture(scope="module")
def index(client: TestClient) -> str:
    return facts.build(client)


def test_every_key_is_found_with_its_parts_and_all_values(client: TestClient, index: str) -> None:
    (answer,) = facts.search(client, index, query="今天天气？", mode="exact", n=32, with_raw=True)
    assert answer["proven"] and not answer["no_answer"] and answer["query"] == "今天天气？"
    found = {result["text"]: result for result in answer["results"]}
    assert len(found) == facts.KEYS
    assert found["今天 天气"]["values"] == ["晴", "热"]
    assert found["公园（学校） 朋友"]["key"] == {"subject": "公园", "predicate": "朋友", "meaning": "学校"}
    scores = [result["renormalised"] for result in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    assert sum(math.exp(score) for score in scores) == pytest.approx(1, abs=1e-6)
    for result in answer["results"]:
        assert result["confidence"] == pytest.approx(math.exp(result["renormalised"]))
        assert result["score"] == result["renormalised"] and result["raw"] < result["renormalised"]


def test_keys_that_begin_each_other_are_each_found_once(client: TestClient) -> None:
    keys = ["New York", "New York dog", "New York dog house", "New"]
    index = facts.build(client, [f"{key}\t{number}" for number, key in enumerate(keys)], format="pairs")
    (answer,) = facts.search(client, index, query="New York dog", mode="exact", n=4, beams=4)
    assert sorted((one["text"], one["values"]) for one in answer["results"]) == sorted(
        (key, [str(number)]) for number, key in enumerate(keys)
    )
    assert sum(math.exp(one["renormalised"]) for one in answer["results"]) == pytest.approx(1, abs=1e-6)


def test_a_wide_beam_finds_what_exact_mode_proves(client: TestClient, index: str) -> None:
    (exact,) = facts.search(client, index, query="公园", mode="exact", n=3)
    (beam,) = facts.search(client, index, query="公园", n=3, beams=8)
    assert [result["text"] for result in beam["results"]] == [result["text"] for result in exact["results"]]
    assert exact["proven"] and not beam["proven"]
    (raw,) = facts.search(client, index, query="公园", n=3, beams=8, score="raw", length_penalty=1.0, look_ahead=True)
    assert all(result["raw"] is not None for result in raw["results"])


def test_many_questions_are_answered_in_order_as_each_alone(client: TestClient, index: str) -> None:
    questions = ["今天", "dog", "公园 学校", "老师喜欢音乐吗？", "dog"]
    together = facts.search(client, index, queries=questions, n=2)
    assert [answer["query"] for answer in together] == questions
    for question, answer in zip(questions, together, strict=True):
        (alone,) = facts.search(client, index, query=question, n=2)
        assert [result["text"] for result in alone["results"]] == [result["text"] for result in answer["results"]]
        for a, b in zip(alone["results"], answer["results"], strict=True):
            assert a["renormalised"] == pytest.approx(b["renormalised"], abs=1e-5)


def test_the_answer_says_what_it_cost_and_what_wrote_the_keys(client: TestClient, index: str) -> None:
    body = client.post(f"/v1/indexes/{index}/search", json={"queries": ["今天", "dog"]}).json()
    usage, model = body["usage"], body["model"]
    assert body["index"] == index and usage["questions"] == 2
    assert usage["rounds"] > 1 and usage["expansions"] >= usage["rounds"] and usage["seconds"] > 0
    assert model["adapter"] is None and "no adapter" in model["note"] and model["family"] == "causal"
    assert model["tokenizer"] == client.get(f"/v1/indexes/{index}").json()["tokenizer"]


def test_abstaining_is_a_matter_of_confidence(client: TestClient) -> None:
    one = facts.build(client, ["今天\t天气\t晴"])
    (sure,) = facts.search(client, one, query="今天", abstain=True)
    assert sure["results"][0]["confidence"] == pytest.approx(1) and not sure["no_answer"]
    many = facts.build(client, [f"{a}{b}\t时间\t早" for a in "天人水山花" for b in "公今明散步学"])
    (unsure,) = facts.search(client, many, query="今天", abstain=True)
    assert unsure["no_answer"] == (unsure["results"][0]["confidence"] < 0.5)
    assert facts.search(client, many, query="今天")[0]["no_answer"] is False


def test_nothing_is_found_in_an_index_without_keys(client: TestClient) -> None:
    index = facts.build(client, ["今天\t天气\t晴"])
    client.patch(f"/v1/indexes/{index}", json={"remove": [{"subject": "今天", "predicate": "天气"}]})
    (answer,) = facts.search(client, index, query="今天", abstain=True)
    assert answer["results"] == [] and answer["no_answer"]


def test_keys_of_one_part(client: TestClient) -> None:
    index = facts.build(client, ["今天\t晴", "今天我\t热"])
    assert client.get(f"/v1/indexes/{index}").json()["parts"] == ["key"]
    (answer,) = facts.search(client, index, query="今天", mode="exact")
    assert {result["text"]: result["values"] for result in answer["results"]} == {"今天": ["晴"], "今天我": ["热"]}
    assert all(result["key"] == {"key": result["text"]} for result in answer["results"])


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no question": ({}, "query"),
    "both": ({"query": "今天", "queries": ["今天"]}, "queries"),
    "empty": ({"query": ""}, "query"),
    "blank": ({"query": " \n\t "}, "query"),
    "no queries": ({"queries": []}, "queries"),
    "one empty": ({"queries": ["今天", ""]}, "queries[1]"),
    "too many": ({"queries": ["今天"] * 65}, "queries"),
    "100,000 characters": ({"query": "今" * 100_000}, "query"),
    "one of 100,000 characters": ({"queries": ["今天", "今" * 100_000]}, "queries[1]"),
    "too long for the model": ({"query": "今" * 600}, "query"),
    "control character": ({"query": "今\u0000天"}, "query"),
    "escape": ({"query": "\u001b[31m今天"}, "query"),
    "lone surrogate": ({"query": "今\ud800天"}, "query"),
    "a number": ({"query": 5}, "query"),
    "n of 0": ({"query": "今天", "n": 0}, "n"),
    "n above the limit": ({"query": "今天", "n": 33}, "n"),
    "n quoted": ({"query": "今天", "n": "3"}, "n"),
    "beams below n": ({"query": "今天", "n": 5, "beams": 4}, "beams"),
    "beams above the limit": ({"query": "今天", "beams": 33}, "beams"),
    "unknown mode": ({"query": "今天", "mode": "greedy"}, "mode"),
    "unknown score": ({"query": "今天", "score": "best"}, "score"),
    "negative penalty": ({"query": "今天", "length_penalty": -1}, "length_penalty"),
    "negative look-ahead": ({"query": "今天", "look_ahead": -0.5}, "look_ahead"),
    "look-ahead in words": ({"query": "今天", "look_ahead": "yes"}, "look_ahead"),
    "exact with a penalty": ({"query": "今天", "mode": "exact", "length_penalty": 1.0}, "length_penalty"),
    "exact with look-ahead": ({"query": "今天", "mode": "exact", "look_ahead": True}, "look_ahead"),
    "unknown field": ({"query": "今天", "beam": 3}, "beam"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", BAD)
def test_bad_request_names_field_and_remedy(client: TestClient, index: str, case: str, stream: bool) -> None:
    body, field = BAD[case]
    content = json.dumps({**body, "stream": stream})
    response = client.post(f"/v1/indexes/{index}/search", content=content, headers={"Content-Type": "application/json"})
    problem = assert_problem(response, 422)
    assert field in [fault["field"] for fault in problem["errors"]]
    assert "see /docs" not in problem["errors"][0]["remedy"] or case == "unknown field"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
@pytest.mark.parametrize("field", ["length_penalty", "look_ahead"])
def test_numbers_must_be_finite(client: TestClient, index: str, field: str, number: str) -> None:
    content = f'{{"query": "今天", "{field}": {number}}}'
    response = client.post(f"/v1/indexes/{index}/search", content=content, headers={"Content-Type": "application/json"})
    assert assert_problem(response, 422)["errors"][0]["field"] == field


@pytest.mark.parametrize(
    "query", ["今天\n天气\n", "今天\t天气", "<eos>今天", "<bos>", "\u202e今天", "😀", "|", "今天 " * 60]
)
def test_hostile_queries_are_answered(client: TestClient, index: str, query: str) -> None:
    (answer,) = facts.search(client, index, query=query, mode="exact", n=32)
    assert len(answer["results"]) == facts.KEYS


def test_a_separator_in_the_question_is_a_space(client: TestClient, index: str) -> None:
    (broken,) = facts.search(client, index, query="今天\n天气\r\n\n")
    (plain,) = facts.search(client, index, query="今天 天气")
    assert broken == plain


@pytest.mark.parametrize("unknown", ["nothing", "demo-2"])
def test_unknown_index(client: TestClient, unknown: str) -> None:
    problem = assert_problem(client.post(f"/v1/indexes/{unknown}/search", json={"query": "今天"}), 404)
    assert problem["errors"][0]["field"] == "name"


@pytest.mark.parametrize("bad", ["UPPER", "a" * 65, "a b", "中文", "..%2Fscores", ".hidden", "a.b"])
def test_bad_names(client: TestClient, bad: str) -> None:
    response = client.post(f"/v1/indexes/{bad}/search", json={"query": "今天"})
    # A slash, be it escaped, is no part of a name but of a path.
    problem = assert_problem(response, 404 if "%2F" in bad else 422)
    assert "%2F" in bad or problem["errors"][0]["field"] == "name"


@pytest.mark.parametrize("kind", ["text/plain", None])
def test_wrong_content_type(client: TestClient, index: str, kind: str | None) -> None:
    headers = {"Content-Type": kind} if kind else {}
    assert_problem(client.post(f"/v1/indexes/{index}/search", content=b'{"query": "a"}', headers=headers), 415)


def test_model_that_cannot_be_loaded(settings: Settings, tmp_path: Any) -> None:
    for wrong in ({"retrieval_model": str(tmp_path)}, {"retrieval_adapter": str(tmp_path)}):
        app = create_app(settings.model_copy(update={**wrong, "state_dir": tmp_path / "state"}))
        with TestClient(app) as client:
            wait_until_ready(client)
            response = client.post("/v1/indexes/demo/search", json={"query": "今天"})
            assert "CHAINWRIGHT_RETRIEVAL" in assert_problem(response, 503)["detail"]


@pytest.fixture(scope="module")
def service(settings: Settings) -> Iterator[tuple[str, FastAPI]]:
    limits = Limits(max_running=2, max_waiting=1, max_queries=2000)
    app = create_app(settings.model_copy(update={"limits": limits, "ping_seconds": 0.001}))
    with serving(app) as url:
        yield url, app


def test_events_come_one_an_answer_and_end_with_the_plain_answer(service: tuple[str, FastAPI], index: str) -> None:
    url, _ = service
    body = {"queries": ["今天"] * 20 + ["dog"], "n": 2}
    events, pings = read_events(f"{url}/v1/indexes/{index}/search", body)
    assert [name for name, _ in events] == ["answer"] * 21 + ["done"] and pings > 0
    done = events[-1][1]
    assert sorted(data["number"] for _, data in events[:-1]) == list(range(21))
    for _, data in events[:-1]:
        assert done["answers"][data.pop("number")] == data
    plain = httpx.post(f"{url}/v1/indexes/{index}/search", json=body, timeout=300, trust_env=False).json()
    for answer in (plain, done):
        answer["usage"].pop("seconds")
    assert plain == done


@pytest.mark.parametrize("stream", [True, False])
def test_the_search_stops_when_the_client_leaves(service: tuple[str, FastAPI], index: str, stream: bool) -> None:
    url, app = service
    engine = app.state.loading.engine
    body = {"queries": ["今天天气"] * 2000, "n": 6, "beams": 16, "stream": stream}
    with httpx.Client(trust_env=False, timeout=300) as http:
        if stream:
            with http.stream("POST", f"{url}/v1/indexes/{index}/search", json=body) as response:
                assert any(line == "event: answer" for line in response.iter_lines())
                assert engine.admission.present == 1
        else:
            with pytest.raises(httpx.ReadTimeout):
                http.post(f"{url}/v1/indexes/{index}/search", json=body, timeout=httpx.Timeout(300, read=0.7))
    until(lambda: engine.admission.present == 0)
    until(lambda: engine.batcher.waiting == 0)


def test_sampling_goes_between_the_rounds_of_a_search(service: tuple[str, FastAPI], index: str) -> None:
    url, app = service
    finished: list[str] = []

    def searching() -> None:
        body = {"queries": ["今天天气"] * 1000, "n": 6, "beams": 16}
        answer = httpx.post(f"{url}/v1/indexes/{index}/search", json=body, timeout=300, trust_env=False)
        assert answer.status_code == 200
        finished.append("search")

    thread = threading.Thread(target=searching)
    thread.start()
    until(lambda: app.state.loading.engine.admission.present == 1)
    body = {"keywords": ["今天"], "sampler": {"kind": "metropolis", "chains": 2, "steps": 5}}
    assert post(url, body).status_code == 200
    finished.append("sentences")
    thread.join()
    assert finished == ["sentences", "search"]


def test_searches_are_measured(client: TestClient, index: str) -> None:
    facts.search(client, index, query="今天")
    text = client.get("/metrics").text
    assert "chainwright_search_duration_seconds_count" in text and "chainwright_search_questions" in text
