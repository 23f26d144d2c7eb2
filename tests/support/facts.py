"""A small index, and how tests build and search it."""

from __future__ import annotations

import time
from typing import Any
from uuid import uuid4

from starlette.testclient import TestClient

LINES = [
    "今天\t天气\t晴",
    "今天\t天气\t热",
    "今天\t时间\t早上",
    "公园（城市）\t时间\t上午",
    "公园（学校）\t时间\t晚上",
    "公园（学校）\t朋友\t老师",
    "dog\tfood\twater",
]
"""Of the letters that the tiny tokenizer knows; six keys."""
KEYS = 6


def name() -> str:
    """A new name of an index."""
    return f"test-{uuid4().hex[:12]}"


def wait(client: Any, index: str) -> dict[str, Any]:
    """The report of an index once its build is done."""
    deadline = time.monotonic() + 300
    while True:
        report: dict[str, Any] = client.get(f"/v1/indexes/{index}").json()
        if report["build"]["state"] in ("ready", "failed"):
            return report
        assert time.monotonic() < deadline, report
        time.sleep(0.01)


def build(client: Any, lines: list[str] = LINES, index: str | None = None, **more: Any) -> str:
    """Build an index over HTTP; its name."""
    index = index or name()
    response = client.post("/v1/indexes", json={"name": index, "lines": lines, **more})
    assert response.status_code == 202, response.text
    assert wait(client, index)["build"]["state"] == "ready"
    return index


def search(client: TestClient, index: str, **body: Any) -> list[dict[str, Any]]:
    """The answers of a search."""
    response = client.post(f"/v1/indexes/{index}/search", json=body)
    assert response.status_code == 200, response.text
    answers: list[dict[str, Any]] = response.json()["answers"]
    return answers


def all_keys(client: TestClient, index: str, query: str = "今天") -> dict[str, list[str]]:
    """Every key of a small index with its values, found by exact search."""
    (answer,) = search(client, index, query=query, mode="exact", n=32)
    return {result["text"]: result["values"] for result in answer["results"]}
