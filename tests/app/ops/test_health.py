"""/health and /ready tell what is so."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient

from app.main import create_app
from app.settings.settings import Settings
from tests.app.conftest import wait_until_ready
from tests.app.web.test_bad_input import assert_problem
from tests.support.live import until
from tests.support.valkey import Valkey

BODY = {"keywords": ["今天"], "sampler": {"kind": "metropolis", "chains": 1, "steps": 3}}


def test_a_model_that_hangs_is_not_alive(client: TestClient) -> None:
    batcher = client.app.state.loading.engine.batcher  # type: ignore[attr-defined]
    assert client.get("/health").status_code == 200
    until(lambda: batcher.began is None)  # what clients of other tests have left is over
    batcher.began = time.perf_counter() - 601
    try:
        assert "601 seconds" in assert_problem(client.get("/health"), 503)["detail"]
    finally:
        batcher.began = None
    assert client.get("/health").status_code == 200


def test_ready_tells_where_scores_are_kept(settings: Settings, tmp_path: Path, client: TestClient) -> None:
    assert client.get("/ready").json()["store"] == {"kept": "memory", "redis": None}
    server = Valkey(tmp_path)
    server.start()
    try:
        update = {"redis_url": SecretStr(server.url)}
        with TestClient(create_app(settings.model_copy(update=update))) as with_redis:
            wait_until_ready(with_redis)
            # A Redis that a busy machine made slow is tried again a moment later.
            until(lambda: with_redis.get("/ready").json()["store"] == {"kept": "redis", "redis": "closed"})
            server.stop()
            assert with_redis.post("/v1/sentences", json=BODY).status_code == 200
            until(lambda: with_redis.get("/ready").json()["store"]["kept"] == "memory")
            assert with_redis.get("/ready").status_code == 200
    finally:
        server.stop()


def test_a_stopping_service_is_not_ready_and_takes_nothing(settings: Settings) -> None:
    app = create_app(settings)
    with TestClient(app) as client:
        wait_until_ready(client)
        app.state.drain.started.set()
        assert "stopping" in assert_problem(client.get("/ready"), 503)["detail"]
        assert "retry-after" in client.post("/v1/sentences", json=BODY).headers
        assert client.get("/health").status_code == 200 and client.get("/metrics").status_code == 200


def test_an_empty_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RATE", "OTLP_ENDPOINT", "TORCH_THREADS", "KEYS_FILE", "MAX_CHAINS"):
        monkeypatch.setenv(f"CHAINWRIGHT_{name}", "")
    settings = Settings()
    assert (settings.rate, settings.otlp_endpoint, settings.torch_threads, settings.keys_file) == (None,) * 4
    assert settings.limits.max_chains == 64
