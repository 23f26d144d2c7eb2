"""The service's tasks, as its OpenAPI document describes them.

A task is an operation that takes a JSON body by POST and answers 200 with JSON. What is built or queued instead
answers 202.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx

from chainwright_client.errors import AnswerError

COLLECTIONS = {"indexes": "index"}
"""Argument for the member of a collection that stands in a path."""


@dataclass(frozen=True)
class Task:
    """A task of the service.

    Attributes:
        name: of the method.
        path: template of the route.
        summary: first line of its description.
        parameters: arguments that stand in the path, each with the name it has there.
        fields: JSON schema of each field of the body.
        required: fields that must be given.
        streams: whether it can answer with events.
        closed: whether other fields are refused.
    """

    name: str
    path: str
    summary: str
    parameters: Mapping[str, str]
    fields: Mapping[str, Mapping[str, Any]]
    required: Collection[str]
    streams: bool
    closed: bool

    def route(self, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The path, and the arguments that do not stand in it.

        Raises:
            TypeError: one of the path is missing.
        """
        rest, path = dict(given), self.path
        for argument, name in self.parameters.items():
            value = rest.pop(argument, None)
            value = rest.pop(name, None) if value is None and name not in self.fields else value
            if value is None:
                raise TypeError(f"{self.name} needs {argument!r}")
            path = path.replace(f"{{{name}}}", quote(str(value), safe=""))
        return path, rest

    def request(self, given: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
        """The path and the body; their values are for the service to judge.

        Raises:
            TypeError: an argument is unknown, or one of the path is missing.
        """
        path, fields = self.route(given)
        for name in fields.keys() - self.fields.keys() if self.closed else ():
            known = [*self.parameters, *self.fields]
            near = difflib.get_close_matches(name, known, 1)
            remedy = f"did you mean {near[0]!r}?" if near else f"it takes {', '.join(known)}"
            if name == "stream" and self.streams:
                remedy = f"call {self.name}.stream(...)"
            raise TypeError(f"{self.name} takes no {name!r}; {remedy}")
        return path, fields


def read_tasks(response: httpx.Response) -> dict[str, Task]:
    """The tasks of an OpenAPI document, by name.

    Raises:
        AnswerError: it is none.
    """
    try:
        document = json.loads(response.content)
        found = [_task(path, each["post"], document) for path, each in document["paths"].items() if "post" in each]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise AnswerError("the answer is no OpenAPI document; is the URL right?") from None
    return {task.name: task for task in found if task is not None}


def _task(path: str, operation: Mapping[str, Any], document: Mapping[str, Any]) -> Task | None:
    try:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        answers = operation["responses"]["200"]["content"]
    except KeyError:
        return None
    *before, name = path.strip("/").split("/")
    if "application/json" not in answers or name.startswith("{"):
        return None
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    fields = {field: each for field, each in schema.get("properties", {}).items() if field != "stream"}
    places = {part.strip("{}"): owner for owner, part in zip(["", *before], before, strict=False) if part[0] == "{"}
    description = operation.get("description") or operation.get("summary") or ""
    return Task(
        name=name.replace("-", "_"),
        path=path,
        summary=description.partition("\n")[0],
        parameters={COLLECTIONS.get(owner, place): place for place, owner in places.items()},
        fields=fields,
        required=schema.get("required", ()),
        streams="text/event-stream" in answers,
        closed=bool(fields) and not schema.get("additionalProperties"),
    )
