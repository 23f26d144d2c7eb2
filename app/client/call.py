"""An exchange with the service, described: what is asked, and how the answer is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import httpx
from httpx_sse import ServerSentEvent
from pydantic import BaseModel, TypeAdapter, ValidationError

from app.client.config import CONNECT, QUICK, Config
from app.client.errors import AnswerError, ServiceError
from app.web.problems import Problem

T = TypeVar("T", covariant=True)
M = TypeVar("M")


@dataclass(frozen=True)
class Call(Generic[T]):
    """One request.

    Attributes:
        method, path, params, headers, json, content: of it; None is left out.
        read: makes the answer of a response that is no error.
        file: whose content is the body.
        repeatable: whether it may be sent again where nobody knows if it arrived.
        slow: whether the model works for it.
    """

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    params: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    content: bytes | None = None
    file: Path | None = None
    repeatable: bool = True
    slow: bool = False

    def options(self, config: Config) -> dict[str, Any]:
        """Arguments of httpx, the file's content excepted."""
        return {
            "method": self.method,
            "url": self.path,
            "params": {name: value for name, value in self.params.items() if value is not None},
            "headers": dict(self.headers),
            "json": None if self.json is None else plain(self.json),
            "content": self.content,
            "timeout": httpx.Timeout(config.timeout if self.slow else QUICK, connect=CONNECT),
        }


@dataclass(frozen=True)
class Stream(Generic[T]):
    """A request that is answered by server-sent events.

    Attributes:
        call: of it.
        kinds: what the data of each event is, by its name; others are left out.
        last: the event that ends the stream.
    """

    call: Call[Any]
    kinds: Mapping[str, type[BaseModel]]
    last: str

    def read(self, event: ServerSentEvent) -> T | None:
        """What an event tells; None for one that is not known.

        Raises:
            ServiceError: the run failed midway.
            AnswerError: the data are not what they should be.
        """
        if event.event == "error":
            problem = validated(Problem, event.data)
            raise ServiceError(problem)
        kind = self.kinds.get(event.event)
        return None if kind is None else validated(kind, event.data)  # type: ignore[return-value]


def validated(kind: type[M], data: str | bytes) -> M:
    """JSON as a model.

    Raises:
        AnswerError: it is none.
    """
    try:
        return TypeAdapter(kind).validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise AnswerError(f"the answer is no {kind.__name__}: {where} {first['msg']}; is the URL right?") from error


def answer(kind: type[M]) -> Callable[[httpx.Response], M]:
    """Reads a body of JSON."""
    return lambda response: validated(kind, response.content)


def service_error(response: httpx.Response) -> ServiceError:
    """The problem of a response, whoever made it: a proxy answers with no problem+json."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        title = response.reason_phrase or "no reason given"
        detail = response.text[:200] or title
        problem = Problem.model_construct(type="about:blank", title=title, status=response.status_code, detail=detail)
    return ServiceError(problem, retry_after(response))


def retry_after(response: httpx.Response) -> float | None:
    """Seconds; None without the header or for a date."""
    try:
        return float(response.headers["Retry-After"])
    except (KeyError, ValueError):
        return None


def plain(value: Any) -> Any:
    """JSON's types, of models too, of which only what was set."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_unset=True)
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value
