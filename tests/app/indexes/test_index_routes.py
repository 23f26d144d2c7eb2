"""Routes that build, list, change and delete indexes."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.indexes.opened import retrieval_of
from app.main import create_app
from app.settings.settings import Limits, Settings
from models.retrieval.index.catalogue import Catalogue
from models.retrieval.index.errors import UnknownIndexError
from models.retrieval.index.manifest import Manifest
from tests.app.conftest import wait_until_ready
from tests.app.web.test_bad_input import assert_problem
from tests.support import facts
from tests.support import tiny_service as tiny


def folder_of(client: TestClient, index: str) -> Path:
    library = retrieval_of(client.app.state.loading.engine).library  # type: ignore[attr-defined]
    library.catalogue.unload(index)
    parent = library.root / index
    return Path(parent / (parent / "current").read_text())


def test_a_build_is_told_of_until_it_is_ready(client: TestClient) -> None:
    index = facts.name()
    lines = ["今天\t天气\t晴", "", "只有两列\t天气", "dog\t\tfood", "dog\tfood\twater", "dog\tfood\twater"]
    response = client.post("/v1/indexes", json={"name": index, "lines": lines})
    assert response.status_code == 202 and response.headers["location"] == f"/v1/indexes/{index}"
    assert response.json()["name"] == index and response.json()["build"]["state"] in ("waiting", "building", "ready")
    report = facts.wait(client, response.headers["location"].rpartition("/")[2])
    assert report["state"] == "ready" and report["keys"] == 2 and report["values"] == 2 and report["bytes"] > 0
    assert report["parts"] == ["subject", "predicate", "meaning"]
    read = report["report"]
    assert (read["lines"], read["blank"], read["malformed"], read["duplicates"]) == (6, 1, 2, 1)
    assert [example["line"] for example in read["examples"]] == [3, 4]
    assert report["changes"] == {"keys_added": 0, "keys_removed": 0, "bytes": 0}
    listed = {each["name"]: each for each in client.get("/v1/indexes").json()["indexes"]}
    assert listed[index]["opened"] and listed[index]["keys"] == 2
    assert listed["demo"]["state"] in ("on-first-use", "ready")


@pytest.mark.parametrize(
    ("format", "lines"),
    [
        ("pairs", ["今天\t晴"]),
        ("pairs-jsonl", ['{"key": "今天", "values": ["晴"]}']),
        ("triples-jsonl", ['{"subject": "今天", "predicate": "天气", "meaning": "公园", "object": "晴"}']),
    ],
)
@pytest.mark.parametrize("asked", ["auto", None])
def test_formats(client: TestClient, format: str, lines: list[str], asked: str | None) -> None:
    index = facts.build(client, lines, format=asked or format)
    assert list(facts.all_keys(client, index).values()) == [["晴"]]
    parts = client.get(f"/v1/indexes/{index}").json()["parts"]
    assert parts == (["key"] if format.startswith("pairs") else ["subject", "predicate", "meaning"])


def test_aliases_find_what_they_stand_for(client: TestClient) -> None:
    index = facts.build(client, ["今天\t天气\t晴"], aliases=["明天\t今天"])
    assert facts.all_keys(client, index) == {"今天 天气": ["晴"], "明天 天气": ["晴"]}


def test_a_build_that_ends_while_it_is_looked_up(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its report is of the index that it made, not of none."""
    index, read = facts.name(), Catalogue.manifest
    late: list[bool] = []

    def slowly(self: Catalogue, name: str) -> Manifest:
        if name == index and not late:
            late.append(True)
            builds = retrieval_of(client.app.state.loading.engine).builds  # type: ignore[attr-defined]
            deadline = time.monotonic() + 300
            while (build := builds.of(index)) is not None and build.going_on and time.monotonic() < deadline:
                time.sleep(0.01)
            raise UnknownIndexError(name)
        return read(self, name)

    monkeypatch.setattr(Catalogue, "manifest", slowly)
    report = client.post("/v1/indexes", json={"name": index, "lines": facts.LINES}).json()
    assert late and report["state"] == "ready" and report["keys"] == facts.KEYS


def test_a_file_is_put_as_it_is(client: TestClient) -> None:
    index = facts.name()
    text = "\n".join(facts.LINES).encode() + b"\n\xff\xfe\t\t\n"
    response = client.put(f"/v1/indexes/{index}", content=(text[i : i + 7] for i in range(0, len(text), 7)))
    assert response.status_code == 202, response.text
    report = facts.wait(client, index)
    assert report["keys"] == facts.KEYS and report["report"]["malformed"] == 1
    assert report["report"]["examples"][0]["fault"] == "not UTF-8"


def test_a_build_that_fails_tells_why_and_leaves_the_old_index(client: TestClient) -> None:
    index = facts.build(client)
    client.post("/v1/indexes", json={"name": index, "lines": ["今天\t天气\t晴", "今天"], "strict": True})
    report = facts.wait(client, index)
    assert report["build"]["state"] == "failed" and "line 2" in report["build"]["failure"]
    assert report["state"] == "ready" and len(facts.all_keys(client, index)) == facts.KEYS

    fresh = facts.name()
    client.put(f"/v1/indexes/{fresh}", content=b"no tabs here\n")
    report = facts.wait(client, fresh)
    assert report["state"] == "failed" and "format" in report["build"]["failure"]
    assert_problem(client.post(f"/v1/indexes/{fresh}/search", json={"query": "今天"}), 404)
    assert client.delete(f"/v1/indexes/{fresh}").status_code == 204
    assert_problem(client.get(f"/v1/indexes/{fresh}"), 404)


def test_changes_are_seen_at_once(client: TestClient) -> None:
    index = facts.build(client, ["今天\t天气\t晴", "今天\t天气\t热", "dog\tfood\twater"])
    answer = client.patch(
        f"/v1/indexes/{index}",
        json={
            "add": [
                {"subject": "公园", "predicate": "天气", "meaning": "城市", "values": ["晴", "晴", "热"]},
                {"subject": "今天", "predicate": "天气", "values": ["水", "热"]},
            ],
            "remove": [
                {"subject": "dog", "predicate": "food"},
                {"subject": "今天", "predicate": "天气", "values": ["晴"]},
                {"subject": "cat", "predicate": "food"},
            ],
        },
    )
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"index": index, "added": 3, "removed": 2, "known": 2, "missing": 1, "keys": 2}
    assert facts.all_keys(client, index) == {"今天 天气": ["热", "水"], "公园（城市） 天气": ["晴", "热"]}
    changes = client.get(f"/v1/indexes/{index}").json()["changes"]
    assert changes["keys_added"] == 2 and changes["keys_removed"] == 2 and changes["bytes"] > 0


OK = {"subject": "公园", "predicate": "天气", "values": ["晴"]}
BAD_CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "nothing": ({}, "add"),
    "no predicate": ({"add": [OK, {"subject": "dog", "values": ["a"]}]}, "add[1].predicate"),
    "a key of one part": ({"add": [OK], "remove": [{"key": "dog"}]}, "remove[0].key"),
    "no values": ({"add": [{"subject": "dog", "predicate": "food"}]}, "add[0].values"),
    "values of none": ({"add": [{"subject": "dog", "predicate": "food", "values": []}]}, "add[0].values"),
    "an empty value": ({"add": [{"subject": "dog", "predicate": "food", "values": [""]}]}, "add[0].values[0]"),
    "an empty subject": ({"add": [{**OK, "subject": ""}]}, "add[0].subject"),
    "a blank predicate": ({"add": [OK, {**OK, "predicate": "\u200b\n"}]}, "add[1].predicate"),
    "a blank value": ({"add": [OK], "remove": [{**OK, "values": ["\ufeff "]}]}, "remove[0].values[0]"),
    "a lone surrogate": ({"add": [{**OK, "values": ["\ud800"]}]}, "add[0].values[0]"),
    "a lone surrogate in the meaning": ({"add": [{**OK, "meaning": "\udfff"}]}, "add[0].meaning"),
    "an unknown field": ({"add": [{**OK, "object": "a"}]}, "add[0].object"),
    "too many": ({"add": [OK] * 10_001}, "add"),
}


@pytest.mark.parametrize("case", BAD_CHANGES)
def test_a_change_with_a_fault_is_not_applied_at_all(client: TestClient, case: str) -> None:
    index = facts.build(client)
    body, field = BAD_CHANGES[case]
    response = client.patch(
        f"/v1/indexes/{index}", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    problem = assert_problem(response, 422)
    assert field in [fault["field"] for fault in problem["errors"]]
    report = client.get(f"/v1/indexes/{index}").json()
    assert report["keys"] == facts.KEYS and report["changes"]["bytes"] == 0


def test_texts_that_spell_special_tokens_are_texts(client: TestClient) -> None:
    index = facts.build(client, ["今天\t天气\t晴"])
    body = {"add": [{"subject": "<bos>", "predicate": "天气", "values": ["<eos>"]}]}
    assert client.patch(f"/v1/indexes/{index}", json=body).status_code == 200
    assert list(facts.all_keys(client, index, "<bos>").values()) in ([["晴"], ["<eos>"]], [["<eos>"], ["晴"]])


BAD_BUILDS: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({"lines": ["a\tb"]}, "name"),
    "bad name": ({"name": "A b", "lines": ["a\tb"]}, "name"),
    "a path": ({"name": "../scores", "lines": ["a\tb"]}, "name"),
    "the demo's name": ({"name": "demo", "lines": ["a\tb"]}, "name"),
    "no lines": ({"name": "x", "lines": []}, "lines"),
    "lines in one": ({"name": "x", "lines": ["a\tb\nc\td"]}, "lines[0]"),
    "unknown format": ({"name": "x", "lines": ["a\tb"], "format": "xml"}, "format"),
    "a bad alias": ({"name": "x", "lines": ["a\tb"], "aliases": ["a\nb"]}, "aliases[0]"),
    "a lone surrogate": ({"name": "x", "lines": ["a\t\ud800"]}, "lines[0]"),
}


@pytest.mark.parametrize("case", BAD_BUILDS)
def test_bad_builds(client: TestClient, case: str) -> None:
    body, field = BAD_BUILDS[case]
    response = client.post("/v1/indexes", content=json.dumps(body), headers={"Content-Type": "application/json"})
    problem = assert_problem(response, 422)
    assert problem["errors"][0]["field"] == field and "see /docs" not in problem["errors"][0]["remedy"]


def test_bad_uploads(client: TestClient) -> None:
    assert_problem(client.put(f"/v1/indexes/{facts.name()}", content=b""), 422)
    assert_problem(client.put("/v1/indexes/demo", content=b"a\tb"), 422)
    assert_problem(client.put("/v1/indexes/A", content=b"a\tb"), 422)
    assert_problem(client.put(f"/v1/indexes/{facts.name()}?format=xml", content=b"a\tb"), 422)


def test_uploads_have_a_bound_of_their_own(settings: Settings, tmp_path: Path) -> None:
    limits = Limits(max_upload_bytes=5000, max_body_bytes=1000)
    app = create_app(settings.model_copy(update={"limits": limits, "state_dir": tmp_path}))
    with TestClient(app, raise_server_exceptions=False) as client:
        wait_until_ready(client)
        line = "今天\t天气\t晴\n".encode()
        assert client.put("/v1/indexes/large", content=line * 100).status_code == 202
        facts.wait(client, "large")
        assert_problem(client.put("/v1/indexes/larger", content=line * 1000), 413)
        chunks = (line for _ in range(1000))
        assert_problem(client.put("/v1/indexes/larger", content=chunks), 413)
        body = {"name": "json", "lines": ["今天\t天气\t晴"] * 100}
        assert_problem(client.post("/v1/indexes", json=body), 413)
    assert list((tmp_path / "indexes" / ".uploads").iterdir()) == []


def test_delete(client: TestClient) -> None:
    index = facts.build(client)
    facts.search(client, index, query="今天")
    assert client.delete(f"/v1/indexes/{index}").status_code == 204
    for call in (client.get, client.delete):
        assert_problem(call(f"/v1/indexes/{index}"), 404)
    assert_problem(client.post(f"/v1/indexes/{index}/search", json={"query": "今天"}), 404)
    assert index not in [each["name"] for each in client.get("/v1/indexes").json()["indexes"]]
    facts.build(client, ["今天\t天气\t晴"], index)
    assert facts.all_keys(client, index) == {"今天 天气": ["晴"]}


def test_an_index_is_swapped_while_it_is_searched(client: TestClient) -> None:
    old, new = ["今天\t天气\t晴", "今天\t时间\t早"], ["今天\t天气\t热", "今天\t时间\t晚"]
    index = facts.build(client, old)
    before = [["早"], ["晴"]]
    after = [["晚"], ["热"]]
    seen: list[list[list[str]]] = []
    stop = threading.Event()
    failures: list[BaseException] = []

    def searching() -> None:
        try:
            while not stop.is_set():
                answers = facts.search(client, index, queries=["今天"] * 5, mode="exact")
                seen.extend(sorted(result["values"] for result in answer["results"]) for answer in answers)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=searching) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for lines in (new, old, new):
            facts.build(client, lines, index)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures and seen
    assert all(values in (before, after) for values in seen)
    assert sorted(facts.all_keys(client, index).values()) == after


def test_an_index_of_another_tokenizer_is_refused(client: TestClient, settings: Settings, tmp_path: Path) -> None:
    other = tiny.save(tmp_path / "model", ["\n", "另"])
    state = {"retrieval_model": str(other), "state_dir": settings.state_dir}
    index = facts.build(client)
    with TestClient(create_app(settings.model_copy(update=state)), raise_server_exceptions=False) as second:
        wait_until_ready(second)
        report = second.get(f"/v1/indexes/{index}").json()
        assert report["state"] == "ready" and report["keys"] == facts.KEYS
        problem = assert_problem(second.post(f"/v1/indexes/{index}/search", json={"query": "今天"}), 409)
        assert "anew" in problem["errors"][0]["remedy"]
        assert_problem(second.patch(f"/v1/indexes/{index}", json={"add": [OK]}), 409)


@pytest.mark.parametrize("file", ["key-tokens.npy", "values.bin", "manifest.json", "current"])
def test_a_damaged_index_is_refused_and_can_be_built_anew(client: TestClient, file: str) -> None:
    index = facts.build(client)
    folder = folder_of(client, index)
    path = folder / file if file != "current" else folder.parent / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    problem = assert_problem(client.post(f"/v1/indexes/{index}/search", json={"query": "今天"}), 409)
    assert "build it anew" in problem["errors"][0]["remedy"] and str(folder.parents[1]) not in problem["detail"]
    report = client.get(f"/v1/indexes/{index}").json()
    assert report["state"] == "damaged" and report["failure"]
    facts.build(client, index=index)
    assert len(facts.all_keys(client, index)) == facts.KEYS


def test_changes_of_another_process_are_seen(client: TestClient, settings: Settings) -> None:
    index = facts.build(client, ["今天\t天气\t晴"])
    assert len(facts.all_keys(client, index)) == 1
    with TestClient(create_app(settings), raise_server_exceptions=False) as second:
        wait_until_ready(second)
        assert second.patch(f"/v1/indexes/{index}", json={"add": [OK]}).status_code == 200
    assert set(facts.all_keys(client, index)) == {"今天 天气", "公园 天气"}
