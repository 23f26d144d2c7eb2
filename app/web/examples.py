"""Answers of every route for the OpenAPI document, as the default model gave them."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

from fastapi import FastAPI


def add_examples(app: FastAPI) -> None:
    """Put examples beside the schemas of the answers.

    They stand in ``examples.json`` by method and path, then status, then media type.
    """
    original = app.openapi

    def openapi() -> dict[str, Any]:
        document = original()
        for route, answers in json.loads(files("app.web").joinpath("examples.json").read_text("utf-8")).items():
            method, _, path = route.partition(" ")
            responses = document["paths"][path][method.lower()]["responses"]
            for status, contents in answers.items():
                for kind, example in contents.items():
                    responses[status]["content"][kind].setdefault("example", example)
        return document

    app.openapi = openapi  # type: ignore[method-assign]
