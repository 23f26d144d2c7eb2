"""Lines of a job: how they may be written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.app.jobs.test_job_routes import SCORE, ended, lines
from tests.app.web.test_bad_input import assert_problem

LINES = {"content-type": "application/jsonl"}


def test_several_items_on_one_line(job_client: TestClient) -> None:
    line = json.dumps({"custom_id": "a", **SCORE}) + json.dumps({"custom_id": "b", **SCORE})
    (fault,) = assert_problem(job_client.post("/v1/jobs", content=line, headers=LINES), 422)["errors"]
    assert (fault["field"], fault["code"]) == ("line 1", "malformed-json") and "--data-binary" in fault["remedy"]
    for content in (line, line.replace("}{", "}\n{")):
        declared = job_client.post("/v1/jobs", content=content, headers={"content-type": "application/json"})
        assert "application/jsonl" in assert_problem(declared, 400)["errors"][0]["remedy"]


def test_an_item_on_several_lines(job_client: TestClient) -> None:
    problem = assert_problem(job_client.post("/v1/jobs", content=json.dumps(SCORE, indent=1), headers=LINES), 422)
    assert {fault["remedy"] for fault in problem["errors"][:2]} == {"keep all of an item on one line"}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "gbk"])
def test_lines_in_another_encoding(job_client: TestClient, encoding: str) -> None:
    line = json.dumps(SCORE, ensure_ascii=False)
    problem = assert_problem(job_client.post("/v1/jobs", content=f"{line}\n".encode(encoding), headers=LINES), 422)
    (fault,) = problem["errors"]
    assert (fault["field"], fault["code"]) == ("line 1", "not-unicode") and "UTF-8" in fault["remedy"]


def test_a_mark_before_a_line_is_no_part_of_it(job_client: TestClient) -> None:
    line = "\ufeff" + json.dumps(SCORE, ensure_ascii=False)
    response = job_client.post("/v1/jobs", content=f"{line}\r\n\r\n{line}\r\n".encode(), headers=LINES)
    assert response.status_code == 202 and response.json()["request_counts"]["total"] == 2


def test_separators_in_strings_end_no_line(job_client: TestClient) -> None:
    name, context = "x\u2028y\u2029z\x85", "第一行\u2028第二行\u2029第三行"
    item = {"custom_id": name, "url": "/v1/score", "body": {"texts": ["今天。"], "context": context}}
    bad = {"custom_id": f"{name}!", "url": "/v1/score", "body": {"texts": ["今天。"], f"a{name}": 1}}
    content = "".join(json.dumps(each, ensure_ascii=False) + "\n" for each in (item, bad))
    job = job_client.post("/v1/jobs?on_invalid=skip", content=content.encode(), headers=LINES).json()
    ended(job_client, job["id"])
    for kind, asked in (("results", name), ("errors", f"{name}!")):
        text = job_client.get(f"/v1/jobs/{job['id']}/{kind}").content.decode()
        assert len(text.splitlines()) == 1 and text.endswith("\n")
        assert json.loads(text)["custom_id"] == asked
    (line,) = lines(job_client, job["id"])
    assert context in json.dumps(line, ensure_ascii=False)


def test_one_bad_item_of_each_kind_leaves_the_good_one(job_client: TestClient) -> None:
    bad: list[Any] = [
        {"custom_id": 7, **SCORE},
        {"custom_id": "u", "url": "/v1/chat/completions", "body": {}},
        {"custom_id": "m", "method": "GET", **SCORE},
        {"custom_id": "b", "url": "/v1/score", "body": []},
        {"custom_id": "s", "url": "/v1/score", "body": json.dumps(SCORE["body"])},
        {"custom_id": "good", "url": "/v1/sentences", "body": {}},
        {"custom_id": "n", "url": None, "body": {}},
        {"custom_id": ["x"], **SCORE},
        {"custom_id": "", **SCORE},
        "text",
        None,
    ]
    content = "".join(json.dumps(each) + "\n" for each in [*bad, {"custom_id": "fine", **SCORE}])
    response = job_client.post("/v1/jobs?on_invalid=skip", content=content, headers=LINES)
    counts = response.json()["request_counts"]
    assert response.status_code == 202 and counts == {"total": 12, "completed": 0, "failed": 11}
    found = lines(job_client, response.json()["id"], "errors")
    names = ["item-0", "u", "m", "b", "s", "good", "n", "item-7", "item-8", "item-9", "item-10"]
    assert [line["custom_id"] for line in found] == names
    faults = [line["response"]["body"]["errors"][0] for line in found]
    fields = ["custom_id", "url", "method", "body", "body", "body.keywords", "url", "custom_id", "custom_id", "", ""]
    assert [fault["field"] for fault in faults] == fields
    assert [fault["code"] for fault in faults] == [
        *("wrong-type", "unknown-value", "unknown-value", "wrong-type", "wrong-type", "missing"),
        *("wrong-type", "wrong-type", "too-short", "wrong-type", "wrong-type"),
    ]
    assert "not a string that holds it" in faults[4]["remedy"]
    ended(job_client, response.json()["id"])
    assert [line["custom_id"] for line in lines(job_client, response.json()["id"])] == ["fine"]
