"""A protected service over HTTP: who gets in, how often, and what browsers are told."""

from __future__ import annotations

import concurrent.futures
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import logs
from app.main import create_app
from app.settings.settings import Settings
from app.web.access.keys import create_key
from tests.app.conftest import wait_until_ready
from tests.app.web.test_bad_input import assert_problem
from tests.support.live import connected, serving

BODY = {"keywords": ["今天"], "sampler": {"kind": "metropolis", "chains": 1, "steps": 1}}


@pytest.fixture(scope="module")
def keys_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "keys.json"


@pytest.fixture(scope="module")
def token(keys_file: Path) -> str:
    return create_key(keys_file, "team")[1]


@pytest.fixture(scope="module")
def protected_app(settings: Settings, keys_file: Path, token: str) -> FastAPI:
    update = {"keys_file": keys_file, "cors_origins": ["https://app.example.org"], "quota": "1000000/day"}
    return create_app(settings.model_copy(update=update))


@pytest.fixture(scope="module")
def protected(protected_app: FastAPI) -> Iterator[TestClient]:
    with TestClient(protected_app, raise_server_exceptions=False) as client:
        wait_until_ready(client)
        yield client


def test_every_route_but_the_open_ones_asks_for_a_key(protected: TestClient) -> None:
    document = protected.get("/openapi.json").json()
    asked: set[str] = set()
    for path, methods in document["paths"].items():
        for method in methods:
            response = protected.request(method, path.replace("{name}", "demo"), json={})
            if path in ("/health", "/ready"):
                assert response.status_code == 200 and "security" not in methods[method]
                continue
            problem = assert_problem(response, 401)
            assert "X-API-Key" in problem["detail"]
            assert response.headers["www-authenticate"] == 'Bearer realm="chainwright"'
            assert {"bearer": []} in methods[method]["security"] and {} not in methods[method]["security"]
            assert {"401", "429", "503"} <= set(methods[method]["responses"])
            asked.add(path)
    assert {"/metrics", "/v1/models", "/v1/sentences", "/v1/score", "/v1/indexes/{name}/search"} <= asked
    assert_problem(protected.get("/v1/nowhere"), 401)
    assert protected.get("/docs").status_code == 200


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_a_key_opens_in_either_header(protected: TestClient, token: str, header: str) -> None:
    value = f"Bearer {token}" if header == "Authorization" else token
    assert protected.post("/v1/sentences", json=BODY, headers={header: value}).status_code == 200
    response = protected.get("/v1/models", headers={header: value[:-1] + ("A" if value[-1] != "A" else "B")})
    assert_problem(response, 401)
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert token[:20] not in response.text


@pytest.mark.parametrize("value", ["Basic dXNlcjpwdw==", "Bearer", "bearer ", "cw_00000000_", "Bearer \xff"])
def test_other_credentials_are_refused(protected: TestClient, value: str) -> None:
    assert_problem(protected.get("/v1/models", headers={"Authorization": value.encode("latin-1")}), 401)


def test_without_a_key_no_body_is_waited_for(settings: Settings, keys_file: Path, token: str) -> None:
    app = create_app(settings.model_copy(update={"keys_file": keys_file}))
    with serving(app) as url, connected(url) as connection:
        connection.sendall(b"POST /v1/sentences HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")


def test_a_thousand_requests_at_ten_times_the_limit(settings: Settings, tmp_path: Path) -> None:
    _, limited = create_key(tmp_path / "keys.json", "limited", rate="100/hour")
    _, other = create_key(tmp_path / "keys.json", "other")
    app = create_app(settings.model_copy(update={"keys_file": tmp_path / "keys.json"}))
    with serving(app) as url, httpx.Client(base_url=url, trust_env=False, timeout=300) as client:

        def ask(_: int) -> httpx.Response:
            return client.get("/v1/models", headers={"X-API-Key": limited})

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(ask, range(1000)))
        assert Counter(answer.status_code for answer in answers) == {200: 100, 429: 900}
        for answer in answers:
            if answer.status_code == 429:
                problem = assert_problem(answer, 429)
                assert 1 <= int(answer.headers["retry-after"]) <= 3600 and "rate of 100" in problem["detail"]
                assert '"rate";r=0' in answer.headers["ratelimit"]
        # Nobody else is hindered.
        assert client.post("/v1/sentences", json=BODY, headers={"X-API-Key": other}).status_code == 200
        assert client.get("/ready").status_code == 200


def test_an_open_service_counts_addresses(settings: Settings) -> None:
    with TestClient(create_app(settings.model_copy(update={"rate": "2/hour"}))) as client:
        assert client.get("/v1/indexes").status_code in (200, 503)
        remaining = client.get("/metrics")
        assert remaining.status_code == 200 and '"rate";r=0' in remaining.headers["ratelimit"]
        assert_problem(client.get("/metrics"), 429)
        assert client.get("/health").status_code == 200


def test_pages_of_allowed_origins_only(protected: TestClient, client: TestClient, token: str) -> None:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
    allowed = protected.options("/v1/sentences", headers={"Origin": "https://app.example.org", **asked})
    assert allowed.status_code == 200
    assert allowed.headers["access-control-allow-origin"] == "https://app.example.org"
    elsewhere = protected.options("/v1/sentences", headers={"Origin": "https://evil.example.org", **asked})
    assert elsewhere.status_code == 400 and "access-control-allow-origin" not in elsewhere.headers
    headers = {"Origin": "https://app.example.org", "X-API-Key": token}
    assert "RateLimit" in protected.get("/v1/models", headers=headers).headers["access-control-expose-headers"]
    # Off by default.
    silent = client.get("/v1/models", headers={"Origin": "https://app.example.org"})
    assert silent.status_code == 200 and "access-control-allow-origin" not in silent.headers


def test_security_headers(client: TestClient) -> None:
    for path in ("/v1/models", "/nowhere", "/health"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in headers["content-security-policy"]
    assert client.get("/v1/models").headers["cache-control"] == "no-store"
    assert "script-src 'self'" in client.get("/docs").headers["content-security-policy"]


def test_access_is_logged_by_the_id_of_the_key(
    protected: TestClient, token: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    try:
        logs.configure()
        protected.get("/v1/models", headers={"X-API-Key": token})
        text = capsys.readouterr().err
    finally:
        structlog.reset_defaults()
        root.handlers = handlers
        root.setLevel(level)
    assert f'"key": "{token.split("_")[1]}"' in text and token not in text


def test_metrics_count_requests_by_route(protected: TestClient, token: str) -> None:
    headers = {"X-API-Key": token}
    assert protected.post("/v1/sentences", json=BODY, headers=headers).status_code == 200
    text = protected.get("/metrics", headers=headers).text
    assert 'http_route="/v1/sentences"' in text and "http_server_request_duration_seconds_count" in text
    # Paths that nobody serves are one row, whatever callers think up.
    protected.get("/v1/absent", headers=headers)
    assert "absent" not in protected.get("/metrics", headers=headers).text
