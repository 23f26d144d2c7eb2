"""The OpenAPI document is complete: described, typed, with examples that are true to their types."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from app.main import create_app
from app.settings.settings import Settings

METHODS = ("get", "put", "post", "patch", "delete")


def document() -> dict[str, Any]:
    return create_app(Settings(model="none", redis_url="off", queue_url="off")).openapi()  # type: ignore[arg-type]


DOCUMENT = document()


def operations() -> Iterator[Any]:
    for path, methods in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in methods:
                yield pytest.param(methods[method], id=f"{method.upper()} {path}")


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema with the definitions that it may refer to."""
    return {**schema, "components": DOCUMENT["components"]}


def examples(content: dict[str, Any]) -> list[Any]:
    """Those beside a schema, in it, or in what it refers to."""
    schema = content["schema"]
    if "$ref" in schema:
        schema = DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    beside = [content["example"]] if "example" in content else []
    return [*beside, *schema.get("examples", []), *([schema["example"]] if "example" in schema else [])]


def assert_exemplified(kind: str, content: dict[str, Any]) -> None:
    found = examples(content)
    assert content["schema"] and found, kind
    for example in found:
        jsonschema.validate(example, resolved(content["schema"]), cls=jsonschema.Draft202012Validator)


@pytest.mark.parametrize("operation", list(operations()))
def test_every_operation_is_described(operation: dict[str, Any]) -> None:
    assert operation["summary"] and operation["description"] and operation["tags"]


@pytest.mark.parametrize("operation", list(operations()))
def test_bodies_have_examples(operation: dict[str, Any]) -> None:
    for kind, content in operation.get("requestBody", {"content": {}})["content"].items():
        assert_exemplified(kind, content)


@pytest.mark.parametrize("operation", list(operations()))
def test_answers_are_typed_and_have_examples(operation: dict[str, Any]) -> None:
    good = {status: answer for status, answer in operation["responses"].items() if status < "400"}
    assert good
    for status, answer in good.items():
        assert answer["description"] and (status == "204") == ("content" not in answer)
        for kind, content in answer.get("content", {}).items():
            assert_exemplified(kind, content)


@pytest.mark.parametrize("operation", list(operations()))
def test_errors_are_problems(operation: dict[str, Any]) -> None:
    bad = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
    assert "500" in bad and ("422" in bad) >= bool(operation.get("parameters") or "requestBody" in operation)
    for status, answer in bad.items():
        assert answer["description"] and answer["content"].keys() == {"application/problem+json"}, status
        assert_exemplified(status, answer["content"]["application/problem+json"])
        assert ("Retry-After" in answer.get("headers", {})) == (status in ("429", "503"))


def test_operation_names_are_unique() -> None:
    names = [operation.values[0]["operationId"] for operation in operations()]
    assert len(names) == len(set(names)) > 15
