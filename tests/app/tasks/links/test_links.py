"""POST /v1/links, with a tiny random model over a real index."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.main import cli
from app.main import create_app
from app.settings.settings import Settings
from chainwright_client import Client
from tests.app.conftest import wait_until_ready
from tests.app.web.test_bad_input import assert_problem
from tests.support import facts
from tests.support import tiny_service as tiny
from tests.support.event_streams import events_in
from tests.support.live import bridge

LINES = [*facts.LINES, "公园路\t时间\t晚上", "New York\tfood\twater", "York\tfood\twater"]


@pytest.fixture(scope="module")
def index(client: TestClient) -> str:
    return facts.build(client, LINES)


def linked(client: TestClient, index: str, *texts: str, **more: Any) -> list[dict[str, Any]]:
    """The answers of a request for links."""
    response = client.post("/v1/links", json={"texts": list(texts), "index": index, **more})
    assert response.status_code == 200, response.text
    body = response.json()
    assert body["index"] == index and [answer["text"] for answer in body["links"]] == list(texts)
    answers: list[dict[str, Any]] = body["links"]
    return answers


def places(answer: dict[str, Any]) -> list[tuple[int, int, str, list[str]]]:
    """Where the mentions of an answer stand, and what they may mean."""
    return [
        (each["start"], each["end"], each["text"], [key["text"] for key in each["keys"]]) for each in answer["mentions"]
    ]


def test_names_are_linked_to_the_entities_that_have_them(client: TestClient, index: str) -> None:
    (answer,) = linked(client, index, "我今天在公园里散步。")
    (today, park) = answer["mentions"]
    assert (today["start"], today["end"], today["text"]) == (1, 3, "今天")
    assert [(key["subject"], key["meaning"], key["facts"]) for key in today["keys"]] == [("今天", "", 2)]
    assert today["keys"][0]["confidence"] == pytest.approx(1) and today["exact"]
    assert {key["text"]: key["facts"] for key in park["keys"]} == {"公园（城市）": 1, "公园（学校）": 2}
    confidences = [key["confidence"] for key in park["keys"]]
    assert sum(confidences) == pytest.approx(1) and confidences == sorted(confidences, reverse=True)
    scores = [key["score"] for key in park["keys"]]
    assert math.exp(scores[1] - scores[0]) == pytest.approx(confidences[1] / confidences[0], rel=1e-6)
    assert 0.5 <= today["confidence"] <= 1


def test_the_score_is_what_the_search_gives_the_keys(client: TestClient, index: str) -> None:
    """Against exact search over the whole index, asked the text with the mention marked."""
    (answer,) = linked(client, index, "在公园里。")
    (mention,) = answer["mentions"]
    (searched,) = facts.search(client, index, query="在[START] 公园 [END]里。", mode="exact", n=32)
    for key in mention["keys"]:
        of_entity = [
            one["renormalised"]
            for one in searched["results"]
            if (one["key"]["subject"], one["key"]["meaning"]) == (key["subject"], key["meaning"])
        ]
        assert len(of_entity) == key["facts"]
        assert math.exp(key["score"]) == pytest.approx(sum(map(math.exp, of_entity)), rel=1e-3)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("我们在公园路吃饭。", [(3, 6, "公园路")]),
        ("New York and York", [(0, 8, "New York"), (13, 17, "York")]),
        ("Yorkshire", []),
        ("公园（学校）", [(0, 6, "公园（学校）")]),
        ("公园(学校)", [(0, 6, "公园(学校)")]),
        ("　ｄｏｇ！", [(1, 4, "ｄｏｇ")]),
        ("e\u0301 dog\u200b.", [(3, 6, "dog")]),
        ("👨\u200d👩\u200d👧今天", [(5, 7, "今天")]),
        ("New\u00a0\n York.", [(0, 10, "New\u00a0\n York")]),
        ("今天今天", [(0, 2, "今天"), (2, 4, "今天")]),
        ("没有。", []),
    ],
)
def test_offsets_are_of_the_text_as_given(
    client: TestClient, index: str, text: str, expected: list[tuple[int, int, str]]
) -> None:
    (answer,) = linked(client, index, text)
    assert [place[:3] for place in places(answer)] == expected


def test_a_meaning_in_brackets_leaves_one_entity(client: TestClient, index: str) -> None:
    (answer,) = linked(client, index, "公园（学校）在城市里。")
    assert places(answer) == [(0, 6, "公园（学校）", ["公园（学校）"])]


def test_changes_are_seen_and_n_bounds_the_entities(client: TestClient) -> None:
    index = facts.build(client)
    (before,) = linked(client, index, "公园和音乐。", n=1)
    assert [len(mention["keys"]) for mention in before["mentions"]] == [1]
    client.patch(f"/v1/indexes/{index}", json={"add": [{"subject": "音乐", "predicate": "朋友", "values": ["老师"]}]})
    (after,) = linked(client, index, "公园和音乐。")
    assert [place[2] for place in places(after)] == ["公园", "音乐"]


def test_keys_of_one_part_are_linked(client: TestClient) -> None:
    index = facts.build(client, ["今天\t晴", "音乐\t热"])
    (answer,) = linked(client, index, "今天有音乐。")
    assert places(answer) == [(0, 2, "今天", ["今天"]), (3, 5, "音乐", ["音乐"])]


def test_a_surer_bar_links_no_more(client: TestClient, index: str) -> None:
    (answer,) = linked(client, index, "今天在公园。", confidence=1.0)
    assert answer["mentions"] == []
    (answer,) = linked(client, index, "今天在公园。", confidence=0.0)
    assert len(answer["mentions"]) == 2


def test_each_text_is_linked_as_if_alone(client: TestClient, index: str) -> None:
    texts = ["今天在公园。", "没有。", "dog and York", "公园", "今天，" * 600]
    together = linked(client, index, *texts)
    for text, answer in zip(texts, together, strict=True):
        (alone,) = linked(client, index, text)
        assert places(alone) == places(answer)
        for a, b in zip(alone["mentions"], answer["mentions"], strict=True):
            assert a["keys"][0]["score"] == pytest.approx(b["keys"][0]["score"], abs=1e-4)
    assert len(together[-1]["mentions"]) == 600


def test_one_text_may_be_given_by_itself(client: TestClient, index: str) -> None:
    body = client.post("/v1/links", json={"text": "今天", "index": index}).json()
    assert [answer["text"] for answer in body["links"]] == ["今天"]
    assert body["usage"]["names"] == 1 and body["usage"]["rounds"] > 1 and "no adapter" in body["model"]["note"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no text": ({}, "text"),
    "both": ({"text": "今天", "texts": ["今天"]}, "texts"),
    "empty": ({"text": ""}, "text"),
    "blank": ({"text": " \n\u3000"}, "text"),
    "no texts": ({"texts": []}, "texts"),
    "one empty": ({"texts": ["今天", ""]}, "texts[1]"),
    "100,000 characters": ({"text": "今" * 100_000}, "text"),
    "one of 100,000 characters": ({"texts": ["今天", "今" * 100_000]}, "texts[1]"),
    "too much together": ({"texts": ["今" * 2000] * 11}, "texts"),
    "too many": ({"texts": ["今"] * 1001}, "texts"),
    "control character": ({"text": "今\u0000天"}, "text"),
    "lone surrogate": ({"text": "今\ud800天"}, "text"),
    "a number": ({"text": 5}, "text"),
    "no index": ({"text": "今天", "index": None}, "index"),
    "a bad name": ({"text": "今天", "index": "A b"}, "index"),
    "n of 0": ({"text": "今天", "n": 0}, "n"),
    "n above the limit": ({"text": "今天", "n": 33}, "n"),
    "confidence above 1": ({"text": "今天", "confidence": 1.5}, "confidence"),
    "unknown field": ({"text": "今天", "beams": 3}, "beams"),
}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("case", BAD)
def test_bad_request_names_field_and_remedy(client: TestClient, index: str, case: str, stream: bool) -> None:
    body, field = BAD[case]
    content = json.dumps({"index": index, **body, "stream": stream})
    problem = assert_problem(
        client.post("/v1/links", content=content, headers={"Content-Type": "application/json"}), 422
    )
    assert field in [fault["field"] for fault in problem["errors"]]


def test_an_unknown_index_is_named(client: TestClient) -> None:
    problem = assert_problem(client.post("/v1/links", json={"text": "今天", "index": "nothing"}), 404)
    assert problem["errors"][0]["field"] == "index"


def test_an_index_of_another_tokenizer_is_refused(settings: Settings, index: str, tmp_path: Path) -> None:
    other = tiny.save(tmp_path / "model", ["\n", "另"])
    state = {"retrieval_model": str(other), "state_dir": settings.state_dir}
    with TestClient(create_app(settings.model_copy(update=state)), raise_server_exceptions=False) as second:
        wait_until_ready(second)
        problem = assert_problem(second.post("/v1/links", json={"text": "今天", "index": index}), 409)
    assert problem["errors"][0]["field"] == "index" and "anew" in problem["errors"][0]["remedy"]


def test_events_end_with_the_plain_answer(client: TestClient, index: str) -> None:
    body = {"texts": ["今天", "没有。", "公园"], "index": index}
    with client.stream("POST", "/v1/links", json={**body, "stream": True}) as response:
        names, data = zip(*(event for event in events_in(response.iter_lines()) if event[0]), strict=True)
    assert [*names] == ["answer"] * 3 + ["done"] and sorted(each["number"] for each in data[:-1]) == [0, 1, 2]
    plain = client.post("/v1/links", json=body).json()
    assert data[-1]["links"] == plain["links"]
    for each in data[:-1]:
        assert plain["links"][each.pop("number")] == each


def test_items_of_jobs_and_the_client_name_it(client: TestClient, index: str) -> None:
    bad = {"url": "/v1/links", "bodies": [{"text": "今天", "index": index}, {"text": "今天", "index": "nothing"}]}
    problem = client.post("/v1/jobs", json=bad).json()
    assert [fault["field"] for fault in problem["errors"]] == ["bodies[1].index"]
    with Client(transport=bridge(client)) as caller:
        answer = caller.links(text="我今天散步。", index=index)
    assert answer.links[0]["mentions"][0]["text"] == "今天"


def test_the_command_takes_the_index_and_the_texts(
    client: TestClient, index: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"MODEL": settings.model, "RETRIEVAL_MODEL": settings.retrieval_model, "STATE_DIR": settings.state_dir}
    for name, value in {**given, "OFFLINE": "1", "REDIS_URL": "off", "DEVICE": "cpu"}.items():
        monkeypatch.setenv(f"CHAINWRIGHT_{name}", str(value))
    shown = CliRunner().invoke(cli, ["links", index, "我今天散步。", "没有。", "-n", "1"])
    assert shown.exit_code == 0, shown.output
    assert "1 to 3" in shown.output and "今天" in shown.output
    refused = CliRunner().invoke(cli, ["links", "nothing", "今天"])
    assert refused.exit_code == 2 and "nothing" in refused.output
