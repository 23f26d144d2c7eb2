"""A task: one kind of work that a client may ask for, by REST, in a job and on the command line."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from pydantic import BaseModel
from rich.console import RenderableType
from rich.json import JSON

from app.engine.engine import Engine
from app.web.codes import Code
from app.web.problems import invalid
from app.web.validation import validated

R = TypeVar("R", bound=BaseModel)
A = TypeVar("A", bound=BaseModel)


Cell = str | int | float | bool | None


class Event(NamedTuple):
    """One server-sent event: its name and its data."""

    name: str
    data: BaseModel


class Task(ABC, Generic[R, A]):
    """A kind of work; an instance is bound to the parameters of its path.

    A subclass is a frozen dataclass whose fields are the path's parameters, none as a rule. What stands in
    :data:`app.tasks.registry.TASKS` has a route with its OpenAPI entry, a job URL, a command, a method of the client
    and a row in docs/api.md.

    Attributes:
        kind: name of the command and of the client's method.
        path: of the route, with the dataclass's fields in braces.
        request: schema of the body; the task streams if it has a field ``stream``.
        answer: schema of the answer.
        plan: schema of the answer to a dry run; None for a task without one.
        tag: group of the route in the OpenAPI document.
        operation: name of the route in the OpenAPI document; ``kind`` if empty.
        summary: of the route, in a few words.
        description: of the route and the command.
        found: description of the answer 200.
        events: the events of a stream, for the OpenAPI document.
        statuses: of the problems that the route may answer.
        argument: the field that the command takes as its arguments; none if empty.
        listed: the answer's field that holds what was asked for, by which an answer is known as this task's.
        columns: types of a table's columns for an answer.
        options: options of the command by dotted field where they differ from the field's name; None for none, a name
            without a dash for an argument before ``argument``.
        model_setting: setting that the command's ``--model`` gives; the engine's model is not loaded for another.
    """

    kind: ClassVar[str]
    path: ClassVar[str]
    request: ClassVar[type[BaseModel]]
    answer: ClassVar[type[BaseModel]]
    plan: ClassVar[type[BaseModel] | None] = None
    tag: ClassVar[str]
    operation: ClassVar[str] = ""
    summary: ClassVar[str]
    description: ClassVar[str]
    found: ClassVar[str] = "Successful Response"
    events: ClassVar[str] = ""
    statuses: ClassVar[tuple[int, ...]] = (400, 413, 415, 422, 429, 500, 503)
    argument: ClassVar[str] = ""
    listed: ClassVar[str] = ""
    columns: ClassVar[Mapping[str, type]] = {"answer": str}
    options: ClassVar[Mapping[str, str | None]] = {}
    model_setting: ClassVar[str] = "model"

    @classmethod
    def streams(cls) -> bool:
        """Whether a request may ask for server-sent events."""
        return "stream" in cls.request.model_fields

    def read(self, body: dict[str, Any]) -> R:
        """The request of a job item's body.

        Raises:
            ProblemError: 422.
        """
        request: R = validated(self.request, body)  # type: ignore[assignment]
        if getattr(request, "stream", False):
            raise invalid("stream", Code.CONTRADICTORY, "an item of a job cannot be streamed", "leave stream out")
        return request

    @abstractmethod
    def check(self, request: R, engine: Engine) -> None:
        """Refuse what the route would refuse; may take some milliseconds, so keep it off the event loop.

        Raises:
            ProblemError: 404, 409 or 422.
        """

    @abstractmethod
    def expected_seconds(self, request: R) -> float:
        """Time that a request takes the default model on two cores, by which jobs are cut into chunks."""

    @abstractmethod
    async def run(self, request: R, engine: Engine) -> A:
        """The answer.

        Raises:
            ProblemError: as the route.
        """

    def stream(self, request: R, engine: Engine) -> AbstractAsyncContextManager[AsyncGenerator[Event]]:
        """The events of a request, the last of them ``done`` with the answer; entering it may raise as :meth:`run`."""
        raise NotImplementedError(f"{self.kind} does not stream")

    @classmethod
    def body_of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """The body of a command's options, which may be written more shortly than a body's fields."""
        return body

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """An answer in JSON as cells of a table, by the names in ``columns``; of several results the first.

        What is not there has no cell: answers come from other versions too.
        """
        return {"answer": json.dumps(answer, ensure_ascii=False)}

    @classmethod
    def render(cls, answer: A) -> RenderableType:
        """An answer on a terminal; a string is printed as it is."""
        return JSON(answer.model_dump_json(), ensure_ascii=False)

    @classmethod
    def note(cls, answer: A) -> str:
        """A line on standard error beside an answer; none if empty."""
        return ""

    @classmethod
    def render_event(cls, event: Event) -> RenderableType | None:
        """An event on a terminal that shows the latest; None for nothing new."""
        return JSON(event.data.model_dump_json(), ensure_ascii=False)


def in_lines(texts: Iterable[str]) -> str:
    """Several texts in one cell, a line each."""
    return "\n".join(texts)


def picked(found: Mapping[str, Any], columns: Iterable[str]) -> dict[str, Cell]:
    """The cells of some columns that a part of an answer has under the same names."""
    return {name: found[name] for name in columns if name in found}
