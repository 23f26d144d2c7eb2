"""Jobs over HTTP: acceptance, refusals and reports."""

from __future__ import annotations

import json
import re
import time
from typing import Any
from uuid import uuid4

import pytest
import redis
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.jobs.store import keys
from app.main import create_app
from app.settings.settings import Settings
from tests.app.conftest import wait_until_ready
from tests.app.web.test_bad_input import assert_problem
from tests.support import facts
from tests.support.job_items import alike
from tests.support.live import until

FAST = {"kind": "metropolis", "chains": 1, "steps": 3}
SCORE = {"url": "/v1/score", "body": {"texts": ["今天。"]}}
SLOW = {"kind": "metropolis", "chains": 8, "steps": 3000}


def sentences(*keywords: str, **more: Any) -> dict[str, Any]:
    return {"keywords": list(keywords) or ["今天"], "sampler": FAST, **more}


def items(count: int) -> list[dict[str, Any]]:
    return [
        {"custom_id": f"c{i}", "url": "/v1/sentences", "body": sentences("今天", "公园", seed=i)} for i in range(count)
    ]


def submit(client: TestClient, **body: Any) -> dict[str, Any]:
    response = client.post("/v1/jobs", json=body)
    assert response.status_code == 202, response.text
    job: dict[str, Any] = response.json()
    assert response.headers["location"] == f"/v1/jobs/{job['id']}"
    return job


def ended(client: TestClient, job_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + 300
    while (job := client.get(f"/v1/jobs/{job_id}").json())["status"] not in ("completed", "cancelled", "expired"):
        assert time.monotonic() < deadline, job
        time.sleep(0.02)
    done: dict[str, Any] = job
    return done


def lines(client: TestClient, job_id: str, kind: str = "results", **query: Any) -> list[dict[str, Any]]:
    response = client.get(f"/v1/jobs/{job_id}/{kind}", params=query)
    assert response.status_code == 200 and response.headers["content-type"] == "application/jsonl"
    return [json.loads(line) for line in response.text.splitlines()]


def socket_of(app: FastAPI) -> str:
    """Of the queue's server."""
    return str(app.state.jobs.store.redis.connection_pool.connection_kwargs["path"])


def test_a_job_answers_what_the_routes_answer(job_client: TestClient) -> None:
    index = facts.build(job_client)
    bodies = {
        "/v1/sentences": sentences("今天", "公园", seed=5, samples=2),
        "/v1/score": {"texts": ["今天我去公园。"], "top": 2},
        f"/v1/indexes/{index}/search": {"query": "今天", "n": 2},
    }
    job = submit(job_client, items=[{"custom_id": url, "url": url, "body": body} for url, body in bodies.items()])
    assert job["object"] == "job" and job["status"] in ("validating", "in_progress")
    assert job["request_counts"]["total"] == 3 and job["expires_at"] > job["created_at"]
    job = ended(job_client, job["id"])
    assert job["request_counts"] == {"total": 3, "completed": 3, "failed": 0}
    assert job["created_at"] <= job["in_progress_at"] <= job["finalizing_at"] <= job["completed_at"]
    results = lines(job_client, job["id"])
    assert [line["custom_id"] for line in results] == list(bodies)
    for line, (url, body) in zip(results, bodies.items(), strict=True):
        direct = job_client.post(url, json=body).json()
        assert line["response"]["status_code"] == 200 and line["error"] is None
        assert set(line["response"]["body"]) == set(direct)
        for name in ("sentences", "seed", "scores", "answers", "model"):
            assert alike(line["response"]["body"].get(name), direct.get(name))
    assert lines(job_client, job["id"], "errors") == []


def test_json_lines_in(job_client: TestClient) -> None:
    body = "\n".join(json.dumps(item) for item in items(3)) + "\n\n"
    for kind in ("application/jsonl", "application/x-ndjson; charset=utf-8"):
        response = job_client.post("/v1/jobs", content=body, headers={"content-type": kind})
        assert response.status_code == 202, response.text
        job = ended(job_client, response.json()["id"])
        assert [line["custom_id"] for line in lines(job_client, job["id"])] == ["c0", "c1", "c2"]


def test_the_short_form_and_seeds_that_are_fixed_at_acceptance(job_client: TestClient) -> None:
    job = submit(job_client, url="/v1/sentences", bodies=[sentences(), sentences(), sentences(seed=3)])
    ended(job_client, job["id"])
    results = lines(job_client, job["id"])
    assert [line["custom_id"] for line in results] == ["item-0", "item-1", "item-2"]
    seeds = [line["response"]["body"]["seed"] for line in results]
    assert len(set(seeds)) == 3 and seeds[2] == 3
    again = job_client.post("/v1/sentences", json=sentences(seed=seeds[0])).json()
    assert again["sentences"][0]["text"] == results[0]["response"]["body"]["sentences"][0]["text"]


BAD: list[tuple[Any, str, str]] = [
    ({"custom_id": "x", "url": "/v1/sentences", "body": {"keywords": []}}, "body.keywords", "at least one"),
    ({"custom_id": "x", "url": "/v1/sentences", "body": sentences("龘")}, "body.keywords[0]", "leave"),
    ({"custom_id": "x", "url": "/v1/sentences", "body": sentences(stream=True)}, "body.stream", "leave stream out"),
    ({"custom_id": "x", "url": "/v1/sentences", "body": sentences(seed=-1)}, "body.seed", "at least 0"),
    ({"custom_id": "x", "url": "/v1/score", "body": {"texts": ["今天"], "nonsense": 1}}, "body.nonsense", "remove"),
    ({"custom_id": "x", "url": "/v1/nowhere", "body": {}}, "url", "/v1/score"),
    ({"custom_id": "x", "url": "/v1/indexes/no-such-index/search", "body": {"query": "今天"}}, "url", "/v1/indexes"),
    ({"custom_id": "c0", "url": "/v1/score", "body": {"texts": ["今天"]}}, "custom_id", "one of its own"),
    ({"custom_id": 7, "url": "/v1/score", "body": {"texts": ["今天"]}}, "custom_id", "string"),
    ({"custom_id": "x", "url": "/v1/score"}, "body", "add this field"),
    (["no object"], "", "object"),
]  # fmt: skip


@pytest.mark.parametrize(("bad", "field", "remedy"), BAD)
def test_a_bad_line_is_named_and_nothing_is_accepted(job_client: TestClient, bad: Any, field: str, remedy: str) -> None:
    before = job_client.get("/v1/jobs").json()["data"][:1]
    problem = assert_problem(job_client.post("/v1/jobs", json={"items": [*items(2), bad]}), 422)
    (fault,) = problem["errors"]
    assert fault["field"] == f"items[2]{'.' if field else ''}{field}" and remedy in fault["remedy"], fault
    body = "\n \n".join(json.dumps(item) for item in [*items(2), bad])
    problem = assert_problem(
        job_client.post("/v1/jobs", content=body, headers={"content-type": "application/jsonl"}), 422
    )
    assert problem["errors"][0]["field"] == f"line 5{': ' if field else ''}{field}"
    assert job_client.get("/v1/jobs").json()["data"][:1] == before


def test_bad_lines_may_be_skipped(job_client: TestClient) -> None:
    body = "\n".join([json.dumps(items(2)[0]), "{not json", json.dumps(BAD[0][0]), json.dumps(items(2)[1])])
    response = job_client.post("/v1/jobs?on_invalid=skip", content=body, headers={"content-type": "application/jsonl"})
    job = response.json()
    assert response.status_code == 202 and job["request_counts"] == {"total": 4, "completed": 0, "failed": 2}
    assert ended(job_client, job["id"])["request_counts"] == {"total": 4, "completed": 2, "failed": 2}
    assert [line["custom_id"] for line in lines(job_client, job["id"])] == ["c0", "c1"]
    bad = lines(job_client, job["id"], "errors")
    assert [line["custom_id"] for line in bad] == ["item-1", "x"]
    assert all(line["response"]["status_code"] == 422 and line["error"]["code"] == "invalid_request" for line in bad)
    assert bad[1]["response"]["body"]["errors"][0]["field"] == "body.keywords"
    assert [line["response"]["body"]["errors"][0]["code"] for line in bad] == ["malformed-json", "missing"]
    problem = assert_problem(job_client.post("/v1/jobs", json={"items": [BAD[0][0]], "on_invalid": "skip"}), 422)
    assert problem["errors"][0]["field"] == "items[0].body.keywords"


@pytest.mark.parametrize(
    ("content", "kind", "status", "word"),
    [
        (b"{", "application/json", 400, "offset 1"),
        (b"[" * 100_000, "application/json", 400, "depth"),
        (b"\xff\xfe", "application/json", 400, "UTF-8"),
        (b"[]", "application/json", 422, "object"),
        (b"{}", "application/json", 422, "`items`"),
        (b'{"items": []}', "application/json", 422, "at least"),
        (b'{"items": [1], "url": "/v1/score", "bodies": [{}]}', "application/json", 422, "either"),
        (b'{"items": [{"custom_id": "\\ud800", "url": "/", "body": {"\\ud800": 1}}]}', "application/json", 422, ""),
        (b'{"items": [{}], "priority": "urgent"}', "application/json", 422, "bulk"),
        (b"\n \n", "application/jsonl", 422, "no lines"),
        (b"\xff\n", "application/jsonl", 422, "UTF-8"),
        (b"x" * (1 << 21), "application/json", 413, "divide"),
        (b"{}", "text/plain", 415, "application/jsonl"),
        (b"{}", "", 415, "application/jsonl"),
        (b'{"items": [' + b"{}," * 500 + b"{}]}", "application/json", 422, "at most 500"),
    ],
)  # fmt: skip
def test_a_body_that_is_no_job(job_client: TestClient, content: bytes, kind: str, status: int, word: str) -> None:
    problem = assert_problem(job_client.post("/v1/jobs", content=content, headers={"content-type": kind}), status)
    assert word in json.dumps(problem, ensure_ascii=False), problem


def test_an_idempotency_key_makes_one_job(job_client: TestClient) -> None:
    headers = {"Idempotency-Key": uuid4().hex}
    first = job_client.post("/v1/jobs", json={"items": items(2)}, headers=headers)
    same = job_client.post("/v1/jobs", json={"items": items(2)}, headers=headers)
    assert first.status_code == same.status_code == 202 and first.json()["id"] == same.json()["id"]
    problem = assert_problem(job_client.post("/v1/jobs", json={"items": items(3)}, headers=headers), 422)
    assert problem["errors"][0]["field"] == "Idempotency-Key" and first.json()["id"] in problem["detail"]
    ended(job_client, first.json()["id"])
    assert len(lines(job_client, first.json()["id"])) == 2
    assert job_client.delete(f"/v1/jobs/{first.json()['id']}").status_code == 204
    fresh = job_client.post("/v1/jobs", json={"items": items(3)}, headers=headers)
    assert fresh.status_code == 202 and fresh.json()["id"] != first.json()["id"]


def test_jobs_are_listed_newest_first_by_cursor(job_client: TestClient) -> None:
    made = [submit(job_client, items=items(1))["id"] for _ in range(5)]
    seen: list[str] = []
    cursor: str | None = None
    while len(seen) < 5:
        page = job_client.get("/v1/jobs", params={"limit": 2, **({"after": cursor} if cursor else {})}).json()
        assert page["has_more"] == (page["next_cursor"] is not None)
        seen += [job["id"] for job in page["data"]]
        cursor = page["next_cursor"]
    assert seen[:5] == made[::-1]


def test_results_by_cursor_in_order_while_the_job_runs(job_client: TestClient) -> None:
    job = submit(job_client, items=items(40))
    seen: list[str] = []
    after = -1
    while True:
        response = job_client.get(f"/v1/jobs/{job['id']}/results", params={"after": after, "limit": 7})
        page = [json.loads(line)["custom_id"] for line in response.text.splitlines()]
        assert len(page) <= 7
        seen += page
        after = int(response.headers["x-next-cursor"])
        if response.headers["x-has-more"] == "false":
            break
        assert f"after={after}" in response.headers["link"]
    assert seen == [f"c{i}" for i in range(40)]
    download = job_client.get(f"/v1/jobs/{job['id']}/results", params={"download": "true"})
    assert re.search(r'attachment; filename="job_\w+-results\.jsonl"', download.headers["content-disposition"])
    assert [json.loads(line)["custom_id"] for line in download.text.splitlines()] == seen


def test_cancel_then_delete(job_client: TestClient) -> None:
    slow = [{"custom_id": f"s{i}", "url": "/v1/sentences", "body": sentences(sampler=SLOW)} for i in range(4)]
    job = submit(job_client, items=[*items(2), *slow], priority="interactive")
    assert job["priority"] == "interactive"
    while job_client.get(f"/v1/jobs/{job['id']}").json()["request_counts"]["completed"] < 2:
        time.sleep(0.02)
    response = job_client.delete(f"/v1/jobs/{job['id']}")
    assert response.status_code == 202 and response.json()["status"] in ("cancelling", "cancelled")
    assert ended(job_client, job["id"])["status"] == "cancelled"
    assert len(lines(job_client, job["id"])) == 2
    undone = lines(job_client, job["id"], "errors")
    assert [line["custom_id"] for line in undone] == ["s0", "s1", "s2", "s3"]
    assert {line["error"]["code"] for line in undone} == {"job_cancelled"}
    assert job_client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    for method, path in (("get", ""), ("delete", ""), ("get", "/results"), ("get", "/errors"), ("get", "/events")):
        assert_problem(getattr(job_client, method)(f"/v1/jobs/{job['id']}{path}"), 404)


@pytest.mark.parametrize(
    ("field", "value"), [("created_at", "soon"), ("chunks", "[[0]]"), ("status", "asleep"), ("total", "many")]
)
def test_a_job_whose_record_is_spoilt_is_told_left_out_and_can_be_deleted(
    job_client: TestClient, job_app: FastAPI, field: str, value: str
) -> None:
    spoilt, sound = [submit(job_client, items=items(1))["id"] for _ in range(2)]
    for each in (spoilt, sound):
        ended(job_client, each)
    with redis.Redis(unix_socket_path=socket_of(job_app)) as client:
        client.hset(keys.job(spoilt), field, value)
    listed = [job["id"] for job in job_client.get("/v1/jobs", params={"limit": 2}).json()["data"]]
    assert sound in listed and spoilt not in listed and len(listed) == 2
    for path in ("", "/results", "/errors", "/events"):
        problem = assert_problem(job_client.get(f"/v1/jobs/{spoilt}{path}"), 500)
        assert problem["errors"][0]["field"] == "job_id" and "DELETE" in problem["detail"]
    assert job_client.delete(f"/v1/jobs/{spoilt}").status_code == 204
    assert_problem(job_client.get(f"/v1/jobs/{spoilt}"), 404)


def test_a_job_expires(job_client: TestClient, job_app: FastAPI) -> None:
    slow = {"custom_id": "s", "url": "/v1/sentences", "body": sentences(sampler=SLOW)}
    job = submit(job_client, items=[slow], expires_after=1.5)
    job = ended(job_client, job["id"])
    assert job["status"] == "expired" and job["expired_at"] - job["created_at"] >= 1.5
    assert lines(job_client, job["id"]) == []

    job = submit(job_client, items=[*items(1), slow], expires_after=600)
    until(lambda: job_client.get(f"/v1/jobs/{job['id']}").json()["request_counts"]["completed"] == 1)
    # A busy machine may take any time until here, so its end is moved to now.
    with redis.Redis(unix_socket_path=socket_of(job_app)) as client:
        client.hset(keys.job(job["id"]), "expires_at", str(time.time()))
    assert ended(job_client, job["id"])["status"] == "expired"
    (line,) = lines(job_client, job["id"], "errors")
    assert line["error"]["code"] == "job_expired" and len(lines(job_client, job["id"])) == 1


def parsed(stream: str) -> list[tuple[str, str, dict[str, Any]]]:
    found = []
    for block in stream.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line and not line.startswith(":"))
        if fields:
            found.append((fields["id"], fields["event"], json.loads(fields["data"])))
    return found


def test_events_to_the_end_and_again_from_the_middle(job_client: TestClient) -> None:
    job = submit(job_client, items=items(20))
    events = parsed(job_client.get(f"/v1/jobs/{job['id']}/events").text)
    statuses = [data["status"] for _, kind, data in events if kind == "status"]
    assert statuses == ["validating", "in_progress", "finalizing", "completed"]
    done = [data["request_counts"]["completed"] for _, _, data in events]
    assert done == sorted(done) and done[-1] == 20
    middle = events[len(events) // 2][0]
    again = job_client.get(f"/v1/jobs/{job['id']}/events", headers={"Last-Event-ID": middle})
    assert parsed(again.text) == events[len(events) // 2 + 1 :]
    assert parsed(job_client.get(f"/v1/jobs/{job['id']}/events", headers={"Last-Event-ID": events[-1][0]}).text) == []
    assert_problem(job_client.get(f"/v1/jobs/{job['id']}/events", headers={"Last-Event-ID": "x"}), 422)


def test_the_worker_inside_is_listed(job_client: TestClient) -> None:
    deadline = time.monotonic() + 300
    while not (workers := job_client.get("/v1/workers").json()["workers"]):
        assert time.monotonic() < deadline
    (worker,) = workers
    assert worker["state"] == "working" and worker["device"] == "cpu" and worker["pid"] > 0


def test_jobs_do_not_take_turns_from_requests(job_client: TestClient, job_app: FastAPI) -> None:
    slow = [{"custom_id": f"s{i}", "url": "/v1/sentences", "body": sentences(sampler=SLOW)} for i in range(20)]
    job = submit(job_client, items=slow)
    until(lambda: any(worker["items_running"] for worker in job_client.get("/v1/workers").json()["workers"]))
    assert job_app.state.loading.engine.admission.present == 0
    assert job_client.post("/v1/sentences", json=sentences()).status_code == 200
    job_client.delete(f"/v1/jobs/{job['id']}")
    ended(job_client, job["id"])


@pytest.mark.parametrize("path", ["/v1/jobs/nonsense", "/v1/jobs/job_0/results", "/v1/jobs/job_zzzz/events"])
def test_an_id_that_cannot_be(job_client: TestClient, path: str) -> None:
    assert_problem(job_client.get(path), 422)


def test_without_a_queue(settings: Settings) -> None:
    off = settings.model_copy(update={"queue_url": Settings(queue_url="off").queue_url})  # type: ignore[arg-type]
    with TestClient(create_app(off)) as client:
        wait_until_ready(client)
        for path in ("/v1/jobs", f"/v1/jobs/job_{'0' * 28}", "/v1/workers"):
            assert "CHAINWRIGHT_QUEUE_URL" in assert_problem(client.get(path), 503)["detail"]
        assert_problem(client.post("/v1/jobs", json={"items": items(1)}), 503)
        assert client.post("/v1/sentences", json=sentences()).status_code == 200


@pytest.mark.parametrize(("key", "code"), [(b"", "too-short"), (b"x" * 257, "too-long")])
def test_an_idempotency_key_that_cannot_be(job_client: TestClient, key: bytes, code: str) -> None:
    response = job_client.post("/v1/jobs", json={"items": [SCORE]}, headers={"Idempotency-Key": key})
    (fault,) = assert_problem(response, 422)["errors"]
    assert (fault["field"], fault["code"]) == ("Idempotency-Key", code)


@pytest.mark.parametrize("key", [b"\xe9\xff", "鍵".encode(), b"a, b", b"'; DROP TABLE jobs", b"x" * 256])
def test_an_odd_idempotency_key_is_one_like_others(job_client: TestClient, key: bytes) -> None:
    first, again = (
        job_client.post("/v1/jobs", json={"items": [SCORE]}, headers={"Idempotency-Key": key}).json() for _ in range(2)
    )
    assert first["id"] == again["id"]
    other = job_client.post("/v1/jobs", json={"items": [SCORE, SCORE]}, headers={"Idempotency-Key": key})
    assert assert_problem(other, 422)["errors"][0]["code"] == "conflict"
