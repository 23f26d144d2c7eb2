"""The client that blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from functools import wraps
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeVar

import httpx
from httpx_sse import EventSource

from app.client import calls, flows
from app.client.attempts import Attempts, broken
from app.client.call import Call, Stream
from app.client.config import Config
from app.client.errors import ClientError, UnreachableError
from app.client.flows import Emit, Flow, Pause

P = ParamSpec("P")
T = TypeVar("T")

PIECE = 1 << 20


def _call(build: Callable[P, Call[T]]) -> Callable[Concatenate[Client, P], T]:
    @wraps(build)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._send(build(*args, **kwargs))

    return method


def _stream(build: Callable[P, Stream[T]]) -> Callable[Concatenate[Client, P], Generator[T]]:
    @wraps(build)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T]:
        return self._listen(build(*args, **kwargs))

    return method


def _each(build: Callable[P, Flow[T]]) -> Callable[Concatenate[Client, P], Generator[T]]:
    @wraps(build)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> Generator[T]:
        return self._drive(build(*args, **kwargs))

    return method


def _one(build: Callable[P, Flow[T]]) -> Callable[Concatenate[Client, P], T]:
    @wraps(build)
    def method(self: Client, /, *args: P.args, **kwargs: P.kwargs) -> T:
        (value,) = self._drive(build(*args, **kwargs))
        return value

    return method


class Client:
    """A service, for threads; one client may be shared by several.

    Args:
        url: of the service; CHAINWRIGHT_URL, or http://127.0.0.1:8000, if left out.
        api_key: sent with every request; CHAINWRIGHT_API_KEY if left out.
        timeout: seconds that an answer of the model may take.
        retries: of a call: after 429 and 503, and after errors of the connection if the call may be repeated.
        longest_wait: seconds of Retry-After beyond which it is not waited but the problem raised.
        transport: of httpx, in place of the network.

    Raises:
        ValueError: the URL is none of http.

    Every method raises :class:`app.client.errors.ServiceError` with the service's problem,
    :class:`app.client.errors.UnreachableError` or :class:`app.client.errors.TimedOutError`.
    """

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 900.0,
        retries: int = 5,
        longest_wait: float = 60.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._config = Config.of(url, api_key, timeout, retries, longest_wait)
        self._http = httpx.Client(**self._config.http(), transport=transport)

    sentences = _call(calls.sentences)
    stream = _stream(calls.stream)
    score = _call(calls.score)
    search = _call(calls.search)
    stream_search = _stream(calls.stream_search)
    indexes = _call(calls.indexes)
    index = _call(calls.index)
    build_index = _call(calls.build_index)
    wait_index = _one(flows.wait_index)
    change_index = _call(calls.change_index)
    delete_index = _call(calls.delete_index)
    create_job = _call(calls.create_job)
    job = _call(calls.job)
    jobs = _each(flows.jobs)
    wait = _one(flows.wait)
    results = _each(flows.results)
    errors = _each(flows.errors)
    pages = _each(flows.pages)
    cancel = _one(flows.cancel)
    delete_job = _call(calls.delete_job)
    workers = _call(calls.workers)
    models = _call(calls.models)
    health = _call(calls.health)
    ready = _call(calls.ready)

    @property
    def url(self) -> str:
        """Where the service is."""
        return self._config.url

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _send(self, call: Call[T]) -> T:
        attempts = Attempts(call, self._config)
        while True:
            try:
                response = self._http.request(**self._options(call))
            except httpx.TransportError as error:
                wait = attempts.failed(error)
            else:
                again = attempts.answered(response)
                if again is None:
                    return call.read(response)
                wait = again
            time.sleep(wait)

    def _listen(self, stream: Stream[T]) -> Generator[T]:
        attempts = Attempts(stream.call, self._config)
        begun = False
        while True:
            try:
                with self._http.stream(**self._options(stream.call)) as response:
                    if not response.is_success:
                        response.read()
                    wait = attempts.answered(response)
                    if wait is None:
                        for event in EventSource(response).iter_sse():
                            begun = True
                            if (value := stream.read(event)) is not None:
                                yield value
                            if event.event == stream.last:
                                return
                        raise UnreachableError(f"the stream of {self.url} ended without {stream.last!r}")
            except httpx.TransportError as error:
                if begun:
                    raise broken(error, self._config) from error
                wait = attempts.failed(error)
            time.sleep(wait)

    def _drive(self, flow: Flow[T]) -> Generator[T]:
        answer: Any = None
        try:
            step = next(flow)
            while True:
                if isinstance(step, Emit):
                    yield step.value
                elif isinstance(step, Pause):
                    time.sleep(step.seconds)
                else:
                    try:
                        answer = self._send(step)
                    except ClientError as error:
                        step = flow.throw(error)
                        continue
                step, answer = flow.send(answer), None
        except StopIteration:
            return
        finally:
            flow.close()

    def _options(self, call: Call[Any]) -> dict[str, Any]:
        options = call.options(self._config)
        return options if call.file is None else options | {"content": _pieces(call.file)}


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
