"""No pickle travels through the queue, and none that is put there is loaded."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path
from typing import Any

import pytest
import redis
from docket import execution, strikelist, worker

from app.jobs.store import plain_calls
from app.jobs.store.plain_calls import PlainCalls
from tests.support.fleet import Fleet, QueueServer

STREAM = "chainwright-bulk:stream"


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return (Path.touch, (self.mark,))


def job(fleet: Fleet) -> str:
    items = [{"custom_id": str(i), "url": "/v1/score", "body": {"texts": ["今天"]}} for i in range(3)]
    answer = fleet.client.post("/v1/jobs", json={"items": items})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def wait_completed(fleet: Fleet, job_id: str) -> None:
    deadline = time.monotonic() + 300
    while (state := fleet.client.get(f"/v1/jobs/{job_id}").json())["status"] != "completed":
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
    assert state["request_counts"]["completed"] == 3


def test_calls_are_written_as_json_and_a_pickle_is_not_loaded(fleet: Fleet, queue: QueueServer, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    bomb = pickle.dumps(Bomb(mark))
    pickle.loads(bomb)
    assert mark.exists()
    mark.unlink()
    jobs = {}
    with redis.Redis.from_url(queue.url) as server:
        for args, kwargs in ((bomb, None), (None, bomb), (bomb, bomb)):
            jobs[job(fleet)] = args, kwargs
        for number, message in server.xrange(STREAM):
            name, *_ = json.loads(message[b"args"])
            assert json.loads(message[b"kwargs"]) == {}
            if name not in jobs:  # of a test before this one
                continue
            args, kwargs = jobs[name]
            server.xdel(STREAM, number)
            server.xadd(STREAM, message | {b"args": args or message[b"args"], b"kwargs": kwargs or b"{}"})
    fleet.start_worker()
    for name in jobs:
        wait_completed(fleet, name)
    assert not mark.exists()


def test_every_module_that_serialises_is_given_the_plain_one() -> None:
    for module in (execution, strikelist, worker):
        assert module.cloudpickle is PlainCalls  # type: ignore[attr-defined]


def test_a_pydocket_that_serialises_otherwise_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(strikelist, "cloudpickle")
    with pytest.raises(ImportError, match="has no cloudpickle"):
        plain_calls.install()


def test_what_has_no_json_travels_as_text() -> None:
    assert PlainCalls.loads(PlainCalls.dumps(ValueError("no"))) == "ValueError('no')"
