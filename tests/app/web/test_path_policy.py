"""One table says for every path whether it needs a key, is logged, and so on."""

from __future__ import annotations

import pytest
from fastapi import FastAPI

from app.settings.values import OWN
from app.web.path_policy import POLICIES, PathPolicy, policy_at


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/health", PathPolicy("/health", needs_key=False, probe=True, logged=False)),
        ("GET", "/metrics", PathPolicy("/metrics", probe=True)),
        ("GET", "/", PathPolicy("/", "GET", needs_key=False)),
        ("GET", "/studio", PathPolicy("/studio", needs_key=False)),
        ("GET", "/docs/oauth2-redirect", PathPolicy("/docs/", needs_key=False, is_page=True)),
        ("PUT", "/v1/indexes/demo", PathPolicy("/v1/indexes/", "PUT", reads_body=True, cached=False)),
        ("POST", "/v1/indexes/demo/search", PathPolicy("/v1/", cached=False)),
        ("POST", "/v1/jobs", PathPolicy("/v1/jobs", "POST", reads_body=True, cached=False)),
        ("GET", "/v1/jobs", PathPolicy("/v1/", cached=False)),
        ("POST", "/v1/files", PathPolicy("/v1/files", "POST", reads_body=True, cached=False)),
        ("POST", "/v1/batches", PathPolicy("/v1/", cached=False)),
        ("GET", "/healthz", PathPolicy()),
        ("GET", "/docsx", PathPolicy()),
        ("OPTIONS", "*", PathPolicy()),
    ],
)
def test_the_first_row_that_covers_a_request_counts(method: str, path: str, expected: PathPolicy) -> None:
    assert policy_at(method, path) == expected


def test_only_documentation_and_health_are_open(app: FastAPI) -> None:
    open_paths = {path for path in app.openapi()["paths"] if not policy_at("GET", path).needs_key}
    assert open_paths == {"/health", "/ready"}
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            assert ("security" in operation) == policy_at(method.upper(), path).needs_key


def test_a_root_path_may_begin_like_none_of_the_table() -> None:
    assert {policy.path.split("/")[1] for policy in POLICIES} - {""} == OWN
