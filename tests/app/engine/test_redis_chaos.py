"""Redis killed, hung and started again under 200 requests: none fails, none answers otherwise."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.settings.settings import Settings
from tests.app.engine.test_store_and_chains import ask, essence, service
from tests.support.job_items import alike
from tests.support.live import until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into the server's pid file")

DISTINCT = 20


def body(number: int) -> dict[str, Any]:
    sampler = {"kind": "metropolis", "chains": 2, "steps": 12}
    return {"keywords": ["今天", "公园"], "seed": number % DISTINCT, "sampler": sampler}


def breaker(client: TestClient) -> str:
    return str(client.app.state.loading.engine.scores.counters.breaker)  # type: ignore[attr-defined]


def test_nothing_fails_and_nothing_changes(settings: Settings) -> None:
    with service(settings, score_cache_memory=0) as client:
        expected = [essence(ask(client, body(k))) for k in range(DISTINCT)]
    # So little memory that Redis is asked all the time.
    with (
        tempfile.TemporaryDirectory(prefix="cw") as state,
        service(settings, redis_url=None, state_dir=Path(state), score_cache_memory=2000) as client,
        ThreadPoolExecutor(4) as pool,
    ):
        pid_file = Path(state) / "scores" / "pid"
        first = int(pid_file.read_text())
        until(lambda: breaker(client) == "closed")
        answers = [pool.submit(ask, client, body(k)) for k in range(100)]
        until(lambda: sum(answer.done() for answer in answers) >= 20)
        os.kill(first, signal.SIGSTOP)
        until(lambda: breaker(client) != "closed")
        time.sleep(0.5)
        os.kill(first, signal.SIGCONT)
        until(lambda: breaker(client) == "closed")
        answers += [pool.submit(ask, client, body(k)) for k in range(100, 200)]
        until(lambda: sum(answer.done() for answer in answers) >= 120)
        os.kill(first, signal.SIGKILL)
        got = [essence(answer.result()) for answer in answers]
        until(lambda: int(pid_file.read_text() or 0) not in (0, first) and breaker(client) == "closed")
        again = ask(client, body(0))
    assert alike(got, [expected[k % DISTINCT] for k in range(200)])
    assert alike(essence(again), expected[0])
