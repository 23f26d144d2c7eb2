"""The OpenAPI contract, held by schemathesis."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import requests
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings

from tests.support.live import serving


def assert_headed(session: requests.Session, asked: requests.PreparedRequest) -> None:
    """HEAD has the status and the type of GET, and no body."""
    got, again = session.send(asked, timeout=300), asked.copy()
    again.method = "HEAD"
    headed = session.send(again, timeout=300)
    assert headed.content == b""
    for name in ("content-type", "allow", "cache-control", "content-security-policy"):
        assert headed.headers.get(name) == got.headers.get(name), name
    assert headed.status_code == got.status_code < 500


def hold(app: FastAPI, headers: Mapping[str, str] | None = None, *, examples: int) -> dict[str, int]:
    """Call every operation with what its schema allows and with what it does not, ``examples`` times each.

    Fails on a server error, or an answer that the document does not describe. Each GET is asked again with HEAD.

    Args:
        app: not started yet.
        headers: sent with every call.
        examples: of each kind.

    Returns:
        Calls by path.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import schemathesis
        from schemathesis.specs.openapi.checks import positive_data_acceptance

    with serving(app) as url, requests.Session() as session:
        session.trust_env = False
        schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
        seen: dict[str, int] = {}

        def check(case: Any) -> None:
            # Words that no vocabulary spells are within the schema and answered 422: the one check left out.
            response = case.call(session=session, headers=headers)
            seen[case.operation.path] = seen.get(case.operation.path, 0) + 1
            case.validate_response(response, excluded_checks=[positive_data_acceptance])
            if case.operation.method == "get":
                assert_headed(session, response.request)

        for result in schema.get_all_operations():
            operation = result.ok()  # type: ignore[union-attr]
            for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
                if mode is schemathesis.GenerationMode.NEGATIVE and operation.method == "get":
                    continue
                strategy = operation.as_strategy(generation_mode=mode)
                settings(
                    max_examples=examples,
                    deadline=None,
                    derandomize=True,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )(given(case=strategy)(lambda case: check(case)))()
        assert set(seen) == set(schema.raw_schema["paths"]) >= {"/health", "/metrics", "/v1/score", "/v1/sentences"}
        return seen
