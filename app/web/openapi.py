"""Parts of the OpenAPI document that all routes share: problems, API keys, limits, examples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from app.web.access.ring import KeyRing
from app.web.path_policy import policy_at
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
        known = app.openapi_schema is not None
        document = original()
        if not known:
            _add_shared(document.setdefault("components", {}))
            _add_examples(document["paths"])
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                _complete(operation, path, method, ring.protected)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _add_shared(components: dict[str, Any]) -> None:
    """Add the schema that the routes' problems refer to, and the ways to send a key."""
    schemas = components.setdefault("schemas", {})
    if "Problem" not in schemas:
        schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}", mode="serialization")
        schemas.update(schema.pop("$defs", {}))
        schemas["Problem"] = schema
    components["securitySchemes"] = SCHEMES


def _add_examples(paths: dict[str, Any]) -> None:
    """Put examples beside the schemas of the answers, as the default model gave them.

    They stand in each room's ``examples.json`` by method and path, then status, then media type.
    """
    for file in Path(__file__).parents[1].rglob("examples.json"):
        for route, answers in json.loads(file.read_text("utf-8")).items():
            method, _, path = route.partition(" ")
            responses = paths[path][method.lower()]["responses"]
            for status, contents in answers.items():
                for kind, example in contents.items():
                    responses[status]["content"][kind].setdefault("example", example)


def _complete(operation: dict[str, Any], path: str, method: str, protected: bool) -> None:
    """Add the answers that middleware gives before the route is reached."""
    if not policy_at(method.upper(), path).needs_key:
        return
    # In an open service a key is welcome but not needed.
    operation["security"] = [*([] if protected else [{}]), {"bearer": []}, {"key": []}]
    statuses = {401, 429, 503} | ({408, 413} if method in _BODIES else set())
    for status, response in problem_responses(*statuses).items():
        operation["responses"].setdefault(str(status), response)
