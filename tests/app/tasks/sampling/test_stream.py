"""Server-sent events, leaving clients and turns, over a real server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.main import create_app
from app.settings.settings import Settings
from tests.support.event_streams import read_events
from tests.support.live import connected, post, serving, until

STEPS = 5000
LONG = {"keywords": ["今天", "公园"], "sampler": {"kind": "metropolis", "chains": 8, "steps": STEPS}, "seed": 1}
SHORT = {
    "keywords": ["今天", "公园"],
    "sampler": {"kind": "metropolis", "chains": 3, "steps": 30},
    "seed": 1,
    "samples": 3,
}


@pytest.fixture(scope="module")
def service(settings: Settings) -> Iterator[tuple[str, Any]]:
    app = create_app(settings.model_copy(update={"ping_seconds": 0.001}))
    with serving(app) as url:
        yield url, app.state


def test_events_come_in_order_and_end_with_the_plain_answer(service: tuple[str, Any]) -> None:
    url, _ = service
    events, pings = read_events(f"{url}/v1/sentences", SHORT)
    names = [name for name, _ in events]
    assert names[0] == "sentence" and names[-1] == "done" and names.count("done") == 1
    assert set(names) == {"sentence", "step", "done"} and pings > 0

    steps = [data for name, data in events if name == "step"]
    assert steps[0]["step"] == 0 and steps[-1]["step"] == steps[-1]["steps"] == 30
    assert all(len(step["chains"]) == 3 for step in steps)
    # The number is that of the slowest chain, so on a slow machine two events may carry the same.
    assert [step["step"] for step in steps] == sorted(step["step"] for step in steps)

    found = [data["log_prob_per_token"] for name, data in events if name == "sentence"]
    assert found == sorted(set(found))
    done, plain = events[-1][1], post(url, SHORT).json()
    assert done["sentences"][0]["log_prob_per_token"] == found[-1]
    for answer in (done, plain):
        answer["diagnostics"].pop("seconds")
    assert done.pop("usage")["lm_calls"] > plain.pop("usage")["lm_calls"] == 0  # the score store answered
    assert done == plain


def test_steps_are_throttled(service: tuple[str, Any]) -> None:
    url, _ = service
    body = {**SHORT, "sampler": {"kind": "metropolis", "chains": 2, "steps": 200}}
    events, _ = read_events(f"{url}/v1/sentences", body)
    seconds = events[-1][1]["diagnostics"]["seconds"]
    assert sum(name == "step" for name, _ in events) <= seconds * 5 + 2


@pytest.mark.parametrize("stream", [True, False])
def test_chains_stop_when_the_client_leaves(service: tuple[str, Any], stream: bool) -> None:
    url, state = service
    turns = state.loading.engine.admission
    until(lambda: turns.present == 0)  # the test before has read its answer; its turn ends a moment later
    usage = state.loading.engine.model.scorer.usage
    before = usage.lm_calls
    if stream:
        with httpx.stream(
            "POST", f"{url}/v1/sentences", json={**LONG, "stream": True}, timeout=300, trust_env=False
        ) as r:
            lines = r.iter_lines()
            assert any(line == "event: step" for line in lines)
            assert turns.present == 1
    else:
        content = json.dumps(LONG).encode()
        head = f"Host: x\r\nContent-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        with connected(url) as connection:
            connection.sendall(f"POST /v1/sentences HTTP/1.1\r\n{head}".encode() + content)
            until(lambda: usage.lm_calls > before)
            assert turns.present == 1
    until(lambda: turns.present == 0)
    calls = usage.lm_calls
    assert calls - before < STEPS, "they were not at their end"
    threading.Event().wait(0.3)
    assert usage.lm_calls <= calls + 1


def test_too_many_requests_get_429_and_the_waiting_are_served(service: tuple[str, Any]) -> None:
    url, state = service
    turns = state.loading.engine.admission  # two run, one waits
    with httpx.Client(trust_env=False, timeout=300) as client:
        streams = [client.stream("POST", f"{url}/v1/sentences", json={**LONG, "stream": True}) for _ in range(2)]
        for stream in streams:
            assert stream.__enter__().status_code == 200
        served: list[httpx.Response] = []
        waiter = threading.Thread(target=lambda: served.append(post(url, SHORT)))
        waiter.start()
        until(lambda: turns.present == 3)
        response = post(url, SHORT)
        assert response.status_code == 429 and int(response.headers["retry-after"]) >= 1
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["errors"][0]["remedy"]
        assert httpx.get(f"{url}/health", trust_env=False, timeout=300).status_code == 200
        for stream in streams:
            stream.__exit__(None, None, None)
    waiter.join(300)
    assert served[0].status_code == 200


def test_faults_come_before_the_stream(service: tuple[str, Any]) -> None:
    url, _ = service
    response = post(url, {**SHORT, "keywords": ["公", "园"], "ordered": True, "length": {"max": 3}, "stream": True})
    assert response.status_code == 422 and response.headers["content-type"] == "application/problem+json"


def test_requests_side_by_side_do_not_change_each_other(service: tuple[str, Any]) -> None:
    url, state = service
    until(lambda: state.loading.engine.admission.present == 0)  # those of the test before have been told
    alone = post(url, SHORT).json()["sentences"]
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(post(url, SHORT).json()["sentences"])) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [alone, alone]
