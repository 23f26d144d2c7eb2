"""What the OpenAPI document says of all routes alike: problems, API keys, limits."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from app.web.access.middleware import OPEN
from app.web.access.ring import KeyRing
from app.web.problems import Problem
from app.web.requests import problem_responses

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "Authorization: Bearer KEY"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}

_BODIES = {"post", "put", "patch"}


def describe(app: FastAPI, ring: KeyRing) -> None:
    """Complete the document that an application makes of its routes."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        components = document.setdefault("components", {})
        _problem(components.setdefault("schemas", {}))
        components["securitySchemes"] = SCHEMES
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                _complete(operation, path, method, ring.protected)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _problem(schemas: dict[str, Any]) -> None:
    """The schema that the routes' problems refer to."""
    if "Problem" not in schemas:
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schemas.update(schema.pop("$defs", {}))
        schemas["Problem"] = schema


def _complete(operation: dict[str, Any], path: str, method: str, protected: bool) -> None:
    """The answers that middleware gives before the route is reached."""
    if OPEN.fullmatch(path):
        return
    # In an open service a key is welcome but not needed.
    operation["security"] = [*([] if protected else [{}]), {"bearer": []}, {"key": []}]
    statuses = {401, 429, 503} | ({408, 413} if method in _BODIES else set())
    for status, response in problem_responses(*statuses).items():
        operation["responses"].setdefault(str(status), response)
