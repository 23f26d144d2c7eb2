"""SIGTERM with work under way: refused, finished, or ended with a word."""

from __future__ import annotations

import json
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.app.web.test_bad_input import assert_problem
from tests.support.event_streams import events_in
from tests.support.service_process import service

LONG = {"keywords": ["今天", "公园"], "sampler": {"kind": "metropolis", "chains": 2, "steps": 5000}, "stream": True}
DIRECT: dict[str, Any] = {"timeout": 120, "trust_env": False}
SHORT = {"keywords": ["今天"], "sampler": {"kind": "metropolis", "chains": 1, "steps": 1}}


def read(url: str, events: list[tuple[str, Any]], open_streams: threading.Semaphore) -> None:
    """All events of a stream, to the end that the service gives it."""
    with httpx.stream("POST", f"{url}/v1/sentences", json=LONG, **DIRECT) as response:
        assert response.status_code == 200
        for event in events_in(response.iter_lines()):
            if event[0]:
                if not events:
                    open_streams.release()
                events.append(event)


def test_sigterm_with_twenty_open_streams(model_folder: Path, tmp_path: Path) -> None:
    # A busy machine may take seconds for the requests that are to come before the end of the drain.
    with (
        service(model_folder, tmp_path, max_running="30", drain_seconds="8") as (process, url),
        httpx.Client(base_url=url, trust_env=False, timeout=300) as kept,
    ):
        assert kept.get("/health").status_code == 200
        streams: list[list[tuple[str, Any]]] = [[] for _ in range(20)]
        opened = threading.Semaphore(0)
        readers = [threading.Thread(target=read, args=(url, events, opened)) for events in streams]
        for reader in readers:
            reader.start()
        for _ in readers:
            assert opened.acquire(timeout=300)
        plain: list[httpx.Response] = []
        body = {**LONG, "stream": False}
        asking = threading.Thread(target=lambda: plain.append(httpx.post(f"{url}/v1/sentences", json=body, **DIRECT)))
        asking.start()
        while "requests_present 21.0" not in kept.get("/metrics").text:
            time.sleep(0.05)

        asked = time.monotonic()
        process.send_signal(signal.SIGTERM)
        while kept.get("/ready").status_code != 503:
            assert time.monotonic() - asked < 300
        assert kept.get("/health").status_code == 200
        # On a connection of old and on a new one.
        for refused in (
            kept.post("/v1/sentences", json=SHORT),
            httpx.post(f"{url}/v1/score", json={}, trust_env=False, timeout=300),
        ):
            assert_problem(refused, 503)
            assert int(refused.headers["retry-after"]) >= 1 and refused.headers["connection"] == "close"

        assert process.wait(300) == 0
        assert time.monotonic() - asked >= 8, "streams may go on for the seconds of the drain"
        for reader in [*readers, asking]:
            reader.join(300)
            assert not reader.is_alive()
        assert_problem(plain[0], 503)
    for events in streams:
        name, problem = events[-1]
        assert name == "error" and problem["status"] == 503 and "stopping" in problem["detail"]
        assert [name for name, _ in events].count("error") == 1


def test_short_work_finishes_and_an_idle_service_stops_at_once(model_folder: Path, tmp_path: Path) -> None:
    body = {"keywords": ["今天", "公园"], "sampler": {"kind": "metropolis", "chains": 4, "steps": 600}, "seed": 1}
    with service(model_folder, tmp_path, drain_seconds="60") as (process, url):
        answers: list[httpx.Response] = []

        def ask() -> None:
            answers.append(httpx.post(f"{url}/v1/sentences", json=body, **DIRECT))

        asking = threading.Thread(target=ask)
        asking.start()
        while "requests_present 1.0" not in httpx.get(f"{url}/metrics", trust_env=False, timeout=300).text:
            assert asking.is_alive()
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0
        asking.join(300)
        assert answers[0].status_code == 200 and answers[0].json()["diagnostics"]["steps"] == 600
    # All that a service says is JSON, a line each.
    assert all(json.loads(line)["event"] for line in (tmp_path / "log").read_text().splitlines())
