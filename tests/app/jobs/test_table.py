"""Lines of results as rows: columns of each task, errors, formats that a client asks for."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet
from starlette.testclient import TestClient

from app.jobs.table import Answers, accepted_format
from app.tasks.registry import TASKS, task_of
from models.text.tables.table import Column
from tests.app.jobs.test_job_routes import ended, lines, submit
from tests.app.web.test_bad_input import assert_problem
from tests.support.pages import ROOT


def line(number: int, body: dict[str, Any] | None, message: str = "") -> str:
    response = None if body is None else {"status_code": 200, "body": body}
    error = {"code": "x", "message": message} if message else None
    return json.dumps({"id": f"job_1-{number}", "custom_id": f"c{number}", "response": response, "error": error})


def test_an_answer_tells_its_task() -> None:
    for task in TASKS:
        assert task.listed in task.answer.model_fields and task.columns
        assert task_of({task.listed: []}) is task
        assert set(task.row({task.listed: []})) <= set(task.columns)


BODIES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "sentences": (
        {
            "sentences": [
                {"text": "甲", "log_prob": -1.5, "naturalness": 0.5, "tokens": ["甲"]},
                {"text": "乙"},
                {"text": "丙"},
            ],
            "seed": 7,
        },
        {"text": "甲", "log_prob": -1.5, "naturalness": 0.5, "seed": 7, "others": "乙\n丙"},
    ),
    "infills": (
        {"infills": [{"text": "甲乙", "fills": ["甲", "乙"]}], "seed": 1},
        {"text": "甲乙", "fills": "甲\n乙", "seed": 1, "others": ""},
    ),
    "paraphrases": (
        {"paraphrases": [{"texts": [{"text": "甲", "overlap": 0.5}, {"text": "乙"}], "seed": 8}], "seed": 7},
        {"text": "甲", "overlap": 0.5, "seed": 7, "others": "乙"},
    ),
    "corrections": (
        {"corrections": [{"target": "公园", "changed": True, "edits": [{"old": "圆", "new": "园"}]}]},
        {"text": "公园", "changed": True, "edits": "圆=园"},
    ),
    "score": (
        {"scores": [{"text": "甲", "log_prob": -2.0, "vocabulary": "zh", "log_probs": [-2.0]}], "vocabulary": "zh"},
        {"text": "甲", "log_prob": -2.0, "vocabulary": "zh"},
    ),
    "completions": (
        {"choices": [{"text": "甲", "logprobs": {"token_logprobs": [None, -1.5, -0.5]}}]},
        {"text": "甲", "log_prob": -2.0},
    ),
    "readings": (
        {"readings": [{"no_answer": True, "spans": [{"text": "甲", "confidence": 0.2}, {"text": "乙"}]}]},
        {"text": "甲", "confidence": 0.2, "no_answer": True, "others": "乙"},
    ),
    "links": (
        {"links": [{"text": "甲乙", "mentions": [{"text": "甲", "keys": [{"text": "甲（1）"}, {"text": "甲（2）"}]}]}]},
        {"text": "甲乙", "links": "甲=甲（1）"},
    ),
    "search": (
        {
            "answers": [
                {
                    "query": "?",
                    "no_answer": False,
                    "results": [{"text": "甲 乙", "values": ["1", "2"], "confidence": 0.5}, {"text": "丙"}],
                }
            ]
        },
        {"text": "甲 乙", "values": "1\n2", "confidence": 0.5, "no_answer": False, "others": "丙"},
    ),
    "of no task here": ({"new": 1}, {"answer": '{"new": 1}'}),
}


@pytest.mark.parametrize("case", BODIES)
def test_rows_of_tasks(case: str) -> None:
    body, cells = BODIES[case]
    answers = Answers()
    answers.add([line(3, body)])
    (row,) = answers.rows
    assert (row.number, row.custom_id, row.cells) == (3, "c3", cells)
    assert set(cells) <= {column.name for column in answers.columns}


def test_a_table_of_two_tasks_and_an_error() -> None:
    answers = Answers()
    answers.add([line(0, BODIES["score"][0]), line(1, None, "it failed"), line(2, BODIES["corrections"][0])])
    columns, rows = answers.table()
    assert [column.name for column in columns] == [
        "custom_id",
        "text",
        "log_prob",
        "log_prob_per_token",
        "vocabulary",
        "changed",
        "edits",
        "error",
    ]
    assert Column("log_prob", float) in columns and Column("changed", bool) in columns
    assert rows == [
        ["c0", "甲", -2.0, None, "zh", None, None, None],
        ["c1", None, None, None, None, None, None, "it failed"],
        ["c2", "公园", None, None, None, True, "圆=园", None],
    ]


def test_the_page_lists_the_columns_of_every_task() -> None:
    listed = [line for line in (ROOT / "docs/jobs.md").read_text("utf-8").splitlines() if line.startswith("| ")]
    for task in TASKS:
        row = next(line for line in listed if task.kind in line.split("|")[1].replace(",", "").split())
        assert [name for name in task.columns if f"`{name}`" not in row] == []


@pytest.mark.parametrize(
    ("accept", "form"),
    [
        ("", "jsonl"),
        ("*/*", "jsonl"),
        ("Text/CSV", "csv"),
        ("text/html, text/csv;q=0.9, */*", "csv"),
        ("*/*, text/csv", "jsonl"),
        ("application/jsonl, text/csv", "jsonl"),
        ("application/vnd.apache.parquet", "parquet"),
        (";;,", "jsonl"),
    ],
)
def test_formats_that_a_client_accepts(accept: str, form: str) -> None:
    assert accepted_format(accept) == form


def table(client: TestClient, path: str, **query: Any) -> pyarrow.Table:
    response = client.get(path, params={"format": "parquet", **query})
    assert response.status_code == 200 and response.headers["content-type"] == "application/vnd.apache.parquet"
    return parquet.read_table(io.BytesIO(response.content))


def test_results_over_http(job_client: TestClient) -> None:
    items = [
        {"custom_id": f"c{at}", "url": "/v1/score", "body": {"texts": [f"{'今天' * (at + 1)}。"]}} for at in range(4)
    ]
    items[2]["body"]["texts"] = []
    job = submit(job_client, items=items, on_invalid="skip")
    ended(job_client, job["id"])
    path = f"/v1/jobs/{job['id']}/results"
    answers = [line["response"]["body"]["scores"][0] for line in lines(job_client, job["id"])]
    response = job_client.get(path, headers={"Accept": "text/csv"})
    assert response.headers["content-type"] == "text/csv; charset=utf-8" and response.headers["vary"] == "Accept"
    found = list(csv.DictReader(io.StringIO(response.text)))
    assert [row["custom_id"] for row in found] == ["c0", "c1", "c3"]
    assert [float(row["log_prob"]) for row in found] == [answer["log_prob"] for answer in answers]
    page = job_client.get(path, params={"format": "csv", "limit": 2})
    assert page.headers["x-has-more"] == "true" and "format=csv" in page.headers["link"]
    rest = job_client.get(page.links["next"]["url"])
    assert [page.text.count("\n"), rest.text.count("\n"), rest.headers["x-has-more"]] == [3, 2, "false"]
    whole = table(job_client, path, download=True)
    assert whole == table(job_client, path)
    assert whole["log_prob"].to_pylist() == [answer["log_prob"] for answer in answers]
    failed = table(job_client, path.replace("results", "errors"))
    assert failed.column_names == ["custom_id", "error"] and failed["custom_id"].to_pylist() == ["c2"]
    named = job_client.get(path, params={"format": "csv", "download": True}).headers["content-disposition"]
    assert named == f'attachment; filename="{job["id"]}-results.csv"'


def test_formats_that_there_are_not(job_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    path = f"/v1/jobs/job_{'0' * 28}/results"
    (fault,) = assert_problem(job_client.get(path, params={"format": "xml"}), 422)["errors"]
    assert fault["field"] == "format"
    assert_problem(job_client.get(path, params={"format": "csv"}), 404)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    for asked in ({"params": {"format": "parquet"}}, {"headers": {"Accept": "application/vnd.apache.parquet"}}):
        (fault,) = assert_problem(job_client.get(path, **asked), 422)["errors"]  # type: ignore[arg-type]
        assert (fault["field"], fault["code"]) == ("format", "unavailable") and "chainwright[parquet]" in fault[
            "remedy"
        ]
