"""HEAD wherever there is GET, at a real server."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings.settings import Settings
from app.web.access.keys import create_key
from tests.support.live import serving, until

LATER = {"keywords": ["今天"], "sampler": {"kind": "metropolis", "chains": 1, "steps": 5000}}
VARYING = {"date", "x-request-id", "content-length"}


@pytest.fixture(scope="module")
def http(settings: Settings) -> Iterator[httpx.Client]:
    """One connection to a service with a queue."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        app = create_app(settings.model_copy(update={"state_dir": Path(folder), "queue_url": None}))
        limits = httpx.Limits(max_connections=1)
        with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=300, limits=limits) as client:
            yield client


@pytest.fixture(scope="module")
def job(http: httpx.Client) -> str:
    """The path of a job that has ended, with a result and an error."""
    items = [{"url": "/v1/score", "body": {"texts": ["今天。"]}}, {"url": "/nowhere", "body": {}}]
    path = http.post("/v1/jobs", json={"items": items, "on_invalid": "skip"}).headers["location"]
    until(lambda: http.get(path).json()["status"] == "completed")
    return str(path)


def same(http: httpx.Client, path: str, **options: Any) -> httpx.Response:
    """The answer to HEAD, which is that to GET without its body."""
    got, headed = http.get(path, **options), http.head(path, **options)
    assert headed.content == b"" and headed.status_code == got.status_code
    assert headed.headers.keys() == got.headers.keys()
    for name in headed.headers.keys() - VARYING:
        assert headed.headers[name] == got.headers[name], name
    return headed


@pytest.mark.parametrize(
    "path",
    [
        *("/health", "/ready", "/v1/models", "/v1/indexes", "/v1/indexes/demo", "/v1/jobs", "/v1/workers", "/metrics"),
        *("/v1/indexes/demo/trie", "/v1/indexes/demo/trie?limit=1&offset=1"),
        *("/docs", "/redoc", "/openapi.json", "/static-offline-docs/swagger-ui.css", "/docs/oauth2-redirect"),
    ],
)
def test_head_is_get_without_its_body(http: httpx.Client, path: str) -> None:
    headed = same(http, path)
    assert headed.status_code == 200 and int(headed.headers["content-length"]) > 0


@pytest.mark.parametrize(
    "path", ["", "/results", "/errors", "/results?limit=1&after=0", "/results?download=true", "/events"]
)
def test_head_of_a_job(http: httpx.Client, job: str, path: str) -> None:
    headed = same(http, job + path)
    assert headed.status_code == 200 and ("content-length" in headed.headers) == (
        path not in ("/results?download=true", "/events")
    )
    assert http.get("/health").json() == {"status": "alive"}  # on the same connection


def test_head_of_events_does_not_wait_for_them(http: httpx.Client) -> None:
    path = http.post("/v1/jobs", json={"url": "/v1/sentences", "bodies": [LATER] * 20}).headers["location"]
    headed = http.head(f"{path}/events")
    assert http.get(path).json()["status"] in ("validating", "in_progress")
    assert headed.status_code == 200 and headed.headers["content-type"].startswith("text/event-stream")
    assert http.delete(path).status_code == 202


@pytest.mark.parametrize(
    ("path", "status"),
    [
        *(("/nowhere", 404), ("/v1/models/", 404), ("/v1/jobs/job_" + "0" * 28, 404), ("/v1/indexes/nowhere", 404)),
        *(("/v1/jobs/x", 422), ("/v1/jobs?limit=0", 422), ("/v1/score", 405), ("/v1/sentences", 405)),
    ],
)
def test_head_where_get_is_refused(http: httpx.Client, path: str, status: int) -> None:
    headed = same(http, path)
    assert headed.status_code == status and headed.headers["content-type"] == "application/problem+json"


def test_head_is_counted_and_logged_by_its_route(http: httpx.Client) -> None:
    http.head("/v1/models")
    line = next(
        line
        for line in http.get("/metrics").text.splitlines()
        if line.startswith("http_server_request_duration_seconds_count") and '"HEAD"' in line and '"/v1/models"' in line
    )
    assert 'http_response_status_code="200"' in line


def test_head_while_the_model_loads(tmp_path: Path) -> None:
    failed: list[str] = []
    app = create_app(Settings(model=str(tmp_path), offline=True, state_dir=tmp_path), on_failure=failed.append)
    with TestClient(app) as client:
        until(lambda: failed)
        assert client.head("/ready").status_code == client.head("/v1/models").status_code == 503
        assert client.head("/health").status_code == 200


def test_keys_rates_and_origins_are_those_of_get(settings: Settings, tmp_path: Path) -> None:
    keys, origin = tmp_path / "keys.json", "https://app.example.org"
    _, token = create_key(keys, "prober", rate="4/hour")
    app = create_app(settings.model_copy(update={"keys_file": keys, "cors_origins": [origin]}))
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=300) as http:
        assert same(http, "/v1/models").status_code == 401 and same(http, "/ready").status_code == 200
        known = {"Authorization": f"Bearer {token}", "Origin": origin}
        answers = [http.head("/v1/models", headers=known) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [200] * 4 + [429]
        assert {answer.headers["access-control-allow-origin"] for answer in answers} == {origin}
        asked = {
            "Origin": origin,
            "Access-Control-Request-Method": "HEAD",
            "Access-Control-Request-Headers": "X-API-Key",
        }
        assert http.options("/v1/models", headers=asked).status_code == 200
