"""Paths where there is nothing, methods that a path does not take, and a Host that is not believed."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.web.paths import near
from tests.app.web.test_bad_input import assert_problem

PATHS = ["/v1/sentences", "/v1/score", "/v1/models", "/v1/indexes", "/v1/jobs", "/health", "/docs", "/metrics"]


def fault_of(response: Any, status: int) -> dict[str, Any]:
    (fault,) = assert_problem(response, status)["errors"]
    return dict(fault)


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
@pytest.mark.parametrize("path", PATHS)
def test_a_slash_at_the_end_is_no_redirect(client: TestClient, path: str, method: str) -> None:
    response = client.request(method, f"{path}/", headers={"Host": "evil.example"}, follow_redirects=False)
    assert response.status_code == 404 and "location" not in response.headers
    assert "evil.example" not in str(response.headers) + response.text
    if method != "HEAD":
        fault = fault_of(response, 404)
        assert fault["code"] == "not-found" and fault["remedy"].endswith(f": {path}")


@pytest.mark.parametrize(
    ("path", "known"),
    [
        ("/v1/sentence", "/v1/sentences"),
        ("/sentences", "/v1/sentences"),
        ("/v1/scores", "/v1/score"),
        ("/v1/index", "/v1/indexes"),
        ("/v1/indexes/demo/serach", "/v1/indexes/{name}/search"),
        ("/openapi", "/openapi.json"),
        ("/healthz", "/health"),
    ],
)
def test_a_near_path_is_named(client: TestClient, path: str, known: str) -> None:
    assert known in fault_of(client.get(path), 404)["remedy"]


@pytest.mark.parametrize(
    "path", ["/", "//", "/v1", "/zzz", "/wp-login.php", "/v1/" + "x" * 5000, "/%00", "/é", "/v1/chat/completions"]
)
def test_nothing_near(client: TestClient, app: FastAPI, path: str) -> None:
    fault = fault_of(client.get(path), 404)
    assert "/docs" in fault["remedy"] and len(fault["message"]) < 300


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/score", "POST"),
        ("/v1/jobs", "GET, HEAD, POST"),
        ("/v1/indexes/demo", "DELETE, GET, HEAD, PATCH, PUT"),
        ("/v1/jobs/job_" + "0" * 28, "DELETE, GET, HEAD"),
        ("/health", "GET, HEAD"),
        ("/docs", "GET, HEAD"),
        ("/openapi.json", "GET, HEAD"),
        ("/static-offline-docs/favicon.png", "GET, HEAD"),
    ],
)
def test_another_method_is_told_which_there_are(client: TestClient, path: str, allowed: str) -> None:
    for method in {"DELETE", "GET", "HEAD", "PATCH", "POST", "PUT", "OPTIONS", "TRACE", "BREW"} - set(
        allowed.split(", ")
    ):
        response = client.request(method, path)
        assert response.status_code == 405 and response.headers["allow"] == allowed, method
        if method != "HEAD":
            assert fault_of(response, 405)["code"] == "method-not-allowed"


def test_a_page_of_another_origin_is_told_of_the_setting(client: TestClient) -> None:
    asked = {"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"}
    assert "CHAINWRIGHT_CORS_ORIGINS" in fault_of(client.options("/v1/score", headers=asked), 405)["remedy"]


@pytest.mark.parametrize("host", ["evil.example", "evil.example/x?y", "[::1", "a b", "evil.example:99999", ""])
@pytest.mark.parametrize("path", ["/health", "/docs", "/v1/nothing", "/v1/score/", "/v1/indexes/demo"])
def test_no_header_is_made_of_the_host(client: TestClient, path: str, host: str) -> None:
    response = client.get(path, headers={"Host": host}, follow_redirects=False)
    assert response.status_code in (200, 404)
    assert "evil" not in str(response.headers) + response.text


def test_the_likest_path_is_named_first(app: FastAPI) -> None:
    assert near(app, "/v1/sentencs")[0] == "/v1/sentences"
