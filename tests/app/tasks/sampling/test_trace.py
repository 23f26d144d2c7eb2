"""The trace of a request: its edits lead from the first sentences to the last, whole and in parts."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from app.tasks.sampling.trace import MAX_TRACED_STEPS
from tests.support.event_streams import events_in

CHAINS, STEPS = 4, 60
BODY = {
    "keywords": ["今天", "公园", ["散步", "学校"]],
    "seed": 5,
    "samples": CHAINS,
    "select": "last",
    "sampler": {"kind": "metropolis", "chains": CHAINS, "steps": STEPS},
    "trace": "edits",
}


def replayed(edits: dict[str, Any]) -> list[list[list[str]]]:
    """The tokens of each chain at its first state and after each of its moves."""
    texts = edits["texts"]
    paths = [[texts[first]] for first in edits["first"]]
    columns = (edits[name] for name in ("chain", "place", "old", "new", "moved"))
    for chain, place, old, new, moved in zip(*columns, strict=True):
        if place is None:
            continue
        tokens = paths[chain][-1]
        assert tokens[place : place + len(texts[old])] == texts[old]
        if moved:
            paths[chain].append([*tokens[:place], *texts[new], *tokens[place + len(texts[old]) :]])
    return paths


def joined(parts: list[Any]) -> Any:
    """Parts of a trace, list by list."""
    if isinstance(parts[0], list):
        return [each for part in parts for each in part]
    return {name: joined([part[name] for part in parts]) for name in parts[0]}


def test_edits_lead_to_the_last_sentences(client: TestClient) -> None:
    answer = client.post("/v1/sentences", json=BODY).json()
    edits, visits = answer["trace"]["edits"], answer["trace"]["visits"]
    rows = CHAINS * STEPS
    columns = {name: each for name, each in edits.items() if name not in ("moves", "texts", "first")}
    assert {len(each) for each in columns.values()} == {rows}
    taken = list(zip(edits["chain"], edits["step"], strict=True))
    assert taken == [(chain, step) for chain in range(CHAINS) for step in range(1, STEPS + 1)]
    paths = replayed(edits)
    assert {"".join(path[-1]) for path in paths} == {sentence["text"] for sentence in answer["sentences"]}
    assert [len(path) for path in paths] == [visits["chain"].count(chain) for chain in range(CHAINS)]
    assert [len(state) for path in paths for state in path] == visits["length"]

    ends = {sentence["chain"]: sentence["log_prob"] for sentence in answer["sentences"]}
    last = dict(zip(visits["chain"], visits["log_density"], strict=True))
    assert all(last[chain] == pytest.approx(log_prob) for chain, log_prob in ends.items())
    tried = answer["diagnostics"]["acceptance"]
    counts = {name: edits["move"].count(number) for number, name in enumerate(edits["moves"])}
    assert counts == {name: report["tried"] for name, report in tried.items()}
    assert sum(edits["moved"]) == sum(report["moved"] for report in tried.values()) > 0
    for ratio, stage, moved in zip(edits["log_ratio"], edits["stage"], edits["moved"], strict=True):
        assert (ratio is None) == (stage == 0) and (stage == 2 or not moved)


def test_parts_of_a_stream_make_the_whole(client: TestClient) -> None:
    with client.stream("POST", "/v1/sentences", json={**BODY, "stream": True}) as response:
        parts = [data for name, data in events_in(response.iter_lines()) if name in ("trace", "done")]
    whole = parts.pop()["trace"]
    assert len(parts) > 1
    streamed = joined(parts)
    assert replayed(streamed["edits"]) == replayed(whole["edits"])
    for columns in (streamed["visits"], whole["visits"]):
        columns["rows"] = sorted(zip(*columns.values(), strict=True))
    assert streamed["visits"]["rows"] == whole["visits"]["rows"]


def test_a_summary_has_no_edits_and_none_nothing(client: TestClient) -> None:
    full, summary, none = (
        client.post("/v1/sentences", json={**BODY, "trace": level}).json() for level in ("edits", "summary", "none")
    )
    assert summary["trace"] == {**full["trace"], "edits": None}
    assert none["trace"] is None
    assert full["sentences"] == summary["sentences"] == none["sentences"]


def test_too_many_edits_are_refused(client: TestClient) -> None:
    sampler = {"kind": "metropolis", "chains": 40, "steps": MAX_TRACED_STEPS // 40 + 1}
    response = client.post("/v1/sentences", json={**BODY, "sampler": sampler})
    assert response.status_code == 422 and response.json()["errors"][0]["field"] == "trace"
    assert response.json()["errors"][0]["code"] == "too-large"
