"""One request and its answer as a generator of steps, which does no input or output itself.

A driver, blocking or awaited, performs each step and sends its result back in, or throws the error of the connection.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeAlias, TypeVar

import httpx
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from chainwright_client.answers import Answer, Problem
from chainwright_client.config import Config
from chainwright_client.errors import AnswerError, ClientError, ServiceError, TimedOutError, UnreachableError
from chainwright_client.event_stream import EventReader, StreamEvent

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

PASSING = (429, 503)
"""Statuses that pass: nothing was done for the request."""

UNSENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
"""Errors after which the service surely has not seen the request."""

FIRST_BACKOFF, MOST_BACKOFF = 0.5, 10.0
"""Seconds before the second try, and between later ones at most, each twice the one before."""

QUICK_TIMEOUT, CONNECT_TIMEOUT = 30.0, 10.0
"""Seconds for answers that need no model, and for a connection."""

PIECE = 1 << 20
"""Bytes of a file that are sent at a time."""

ANY = TypeAdapter(Any, config=ConfigDict(ser_json_inf_nan="constants"))


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request.

    Attributes:
        read: makes the answer of a response that is no error.
        file: file whose content is the body.
        repeatable: whether it may be sent again where nobody knows if it arrived.
        slow: whether the model works for it.
        streams: whether the body of the answer is read in pieces.
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
    streams: bool = False

    def request(self, http: httpx.Client | httpx.AsyncClient, config: Config) -> httpx.Request:
        """The request of httpx; parameters that are None are left out."""
        request = http.build_request(
            self.method,
            self.path,
            params={name: value for name, value in self.params.items() if value is not None},
            headers=self.headers,
            json=None if self.json is None else plain(self.json),
            content=self.content,
            timeout=httpx.Timeout(config.timeout if self.slow else QUICK_TIMEOUT, connect=CONNECT_TIMEOUT),
        )
        if self.file is not None:
            request.stream = FileStream(self.file)
            request.headers["Transfer-Encoding"] = "chunked"
            del request.headers["Content-Length"]
        return request


@dataclass(frozen=True, slots=True)
class FileStream(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A file as the body of a request."""

    path: Path

    def __iter__(self) -> Iterator[bytes]:
        with self.path.open("rb") as file:
            while piece := file.read(PIECE):
                yield piece

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with self.path.open("rb") as file:
            while piece := await asyncio.to_thread(file.read, PIECE):
                yield piece


@dataclass(frozen=True, slots=True)
class Emit(Generic[T]):
    """A value for the caller."""

    value: T


Step: TypeAlias = Call[Any] | httpx.Response | float
"""Next step of a driver: send a call, which gives the response, read unless the call streams and succeeds; give the
next bytes of a response that streams, none at its end; or wait so many seconds."""

One: TypeAlias = Generator[Step, Any, T]
"""Steps that return one value."""

Many: TypeAlias = Generator[Step | Emit[T], Any, None]
"""Steps that emit values."""


def emitted(steps: One[T]) -> Many[T]:
    """The steps with the value that they return emitted."""
    yield Emit((yield from steps))


def ask(call: Call[T], config: Config) -> One[T]:
    """The answer of a call, which is sent again where that may help."""
    return call.read((yield from _response(call, config)))


def listen(call: Call[Any], config: Config, last: Callable[[StreamEvent], bool]) -> Many[StreamEvent]:
    """Events of the answer, to the one that is the last.

    Raises:
        ServiceError: the work failed midway.
        UnreachableError: the stream broke off, or ended before its last event.
        AnswerError: the answer is no stream of events with JSON.
    """
    response = yield from _response(call, config)
    if not response.headers.get("Content-Type", "").startswith("text/event-stream"):
        raise AnswerError("the answer is no stream of events; is the URL right?")
    reader = EventReader()
    try:
        while piece := (yield response):
            for raw in reader.feed(piece):
                if raw.name == "error":
                    raise ServiceError(validated(Problem, raw.data))
                event = StreamEvent(raw.name, validated(Answer, raw.data), raw.id)
                yield Emit(event)
                if last(event):
                    return
    except httpx.TransportError as error:
        raise broken(error, config) from error
    raise UnreachableError(f"the stream of {config.url} ended before its last event")


def _response(call: Call[Any], config: Config) -> One[httpx.Response]:
    failures = 0
    while True:
        backoff = min(MOST_BACKOFF, FIRST_BACKOFF * 2.0**failures) * random.uniform(0.5, 1.0)
        try:
            response: httpx.Response = yield call
        except httpx.TransportError as error:
            timed_out = isinstance(error, httpx.TimeoutException)
            again = call.repeatable and not (timed_out and call.slow)
            if failures >= config.retries or not (again or isinstance(error, UNSENT)):
                raise broken(error, config) from error
        else:
            if response.is_success:
                return response
            problem = service_error(response)
            passes = problem.status in PASSING and failures < config.retries
            if not passes or (problem.retry_after or 0.0) > config.longest_wait:
                raise problem
            if problem.retry_after is not None:
                backoff = problem.retry_after + random.uniform(0, FIRST_BACKOFF)
        failures += 1
        yield backoff


def broken(error: httpx.TransportError, config: Config) -> ClientError:
    """An error of the connection, in words."""
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, UNSENT):
        return TimedOutError(f"no answer from {config.url} in time; give a longer timeout, or ask for less")
    reason = str(error) or type(error).__name__
    return UnreachableError(f"{config.url} cannot be reached or broke off: {reason}; is the service running?")


def service_error(response: httpx.Response) -> ServiceError:
    """The problem of a response, whoever made it: a proxy answers with no problem+json."""
    try:
        problem = Problem.model_validate_json(response.content)
    except ValidationError:
        title = response.reason_phrase or "no reason given"
        detail = response.text[:200] or title
        problem = Problem(type="about:blank", title=title, status=response.status_code, detail=detail)
    try:
        wait = float(response.headers["Retry-After"])
    except (KeyError, ValueError):  # a date, for one
        wait = None
    return ServiceError(problem, wait)


def body(kind: type[M]) -> Callable[[httpx.Response], M]:
    """Reader of a body that is one model."""
    return lambda response: validated(kind, response.content)


def validated(kind: type[M], data: str | bytes) -> M:
    """JSON as a model.

    Raises:
        AnswerError: it is none.
    """
    try:
        return kind.model_validate_json(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise AnswerError(f"the answer is no {kind.__name__}: {where} {first['msg']}; is the URL right?") from error


def plain(value: Any) -> Any:
    """JSON's types, of models too, of which only what was set; what is no number stays, for httpx to refuse."""
    return ANY.dump_python(value, mode="json", exclude_unset=True)
