"""The score store and other requests change how long a request takes, and nothing of its answer."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.main import create_app
from app.settings.settings import Limits, Settings
from models.scores import connection, redis
from tests.app.conftest import wait_until_ready
from tests.support.job_items import alike

REQUESTS: list[dict[str, Any]] = [
    {"keywords": ["今天", "公园"], "seed": 1, "samples": 3, "sampler": {"kind": "annealing", "chains": 3, "steps": 25}},
    {"keywords": [["dog", "dogs"], "park"], "seed": 2, "sampler": {"kind": "metropolis", "chains": 2, "steps": 25}},
    {"keywords": ["学校"], "seed": 3, "context": "我们", "sampler": {"kind": "metropolis", "chains": 5, "steps": 15}},
    {"keywords": ["朋友"], "seed": 4, "select": "last", "sampler": {"kind": "metropolis", "chains": 1, "steps": 40}},
]


@contextmanager
def service(settings: Settings, **changes: Any) -> Iterator[TestClient]:
    """A service of its own with other settings."""
    limits = Limits(max_running=8, max_waiting=8)
    with TestClient(create_app(settings.model_copy(update={"limits": limits, **changes}))) as client:
        wait_until_ready(client)
        yield client


def ask(client: TestClient, body: dict[str, Any]) -> dict[str, Any]:
    response = client.post("/v1/sentences", json=body)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def essence(answer: dict[str, Any]) -> tuple[Any, ...]:
    """All that a caller may rely on: sentences with their scores, acceptance, states visited."""
    diagnostics = {k: v for k, v in answer["diagnostics"].items() if k != "seconds"}
    return answer["sentences"], diagnostics, answer["seed"], answer["model"]


@pytest.fixture(scope="module")
def expected(settings: Settings) -> list[tuple[Any, ...]]:
    """The answers without any store, one request after the other."""
    with service(settings, score_cache_memory=0) as client:
        answers = [ask(client, body) for body in REQUESTS]
        assert all(answer["usage"]["lm_calls"] > 0 for answer in answers)
        again = [essence(ask(client, body)) for body in REQUESTS]
        assert again == [essence(answer) for answer in answers]
        return again


def test_a_hit_and_a_miss_give_the_same_chain(settings: Settings, expected: list[tuple[Any, ...]]) -> None:
    with service(settings) as client:
        assert [essence(ask(client, body)) for body in REQUESTS] == expected
        warm = [ask(client, body) for body in REQUESTS]
    assert [essence(answer) for answer in warm] == expected
    assert all(answer["usage"]["lm_calls"] == answer["usage"]["lm_tokens"] == 0 for answer in warm)


def test_a_half_full_store_gives_the_same_chain(settings: Settings, expected: list[tuple[Any, ...]]) -> None:
    """Scores from the store where others come from the model, states that must be read anew."""
    with service(settings, score_cache_memory=60_000) as client:
        for _ in range(3):
            answers = [ask(client, body) for body in REQUESTS]
            assert [essence(answer) for answer in answers] == expected
    assert any(answer["usage"]["lm_calls"] > 0 and answer["usage"]["recalled"] for answer in answers)


def test_the_next_service_finds_the_scores_of_the_last(
    settings: Settings, expected: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may take longer than a request waits for its scores.
    for limit in ("MAX_READ_SECONDS", "MAX_WRITE_SECONDS", "MAX_FLUSH_SECONDS"):
        monkeypatch.setattr(redis, limit, 60.0)
    monkeypatch.setattr(connection, "PROMPT_SECONDS", 60.0)
    with tempfile.TemporaryDirectory(prefix="cw") as state:
        changes = {"redis_url": None, "state_dir": Path(state)}
        with service(settings, **changes) as client:
            assert [essence(ask(client, body)) for body in REQUESTS] == expected
        with service(settings, **changes) as client:
            answers = [ask(client, body) for body in REQUESTS]
    assert [essence(answer) for answer in answers] == expected
    assert all(answer["usage"]["lm_calls"] == 0 for answer in answers)


def test_requests_side_by_side_get_what_they_get_alone(settings: Settings, expected: list[tuple[Any, ...]]) -> None:
    with service(settings, score_cache_memory=0) as client, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: ask(client, body), REQUESTS * 4))
        metrics = client.get("/metrics").text
    # tests/models/language/scoring/test_batch_invariance.py shows that scores of the real model do not depend on it.
    assert alike([essence(answer) for answer in answers], expected * 4)
    counts = {
        sample.name: sample.value
        for family in text_string_to_metric_families(metrics)
        for sample in family.samples
        if sample.labels.get("work") == "scores"
    }
    assert counts["chainwright_batch_jobs_sum"] > counts["chainwright_batch_jobs_count"], "no batch held two requests"
