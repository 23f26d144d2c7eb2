"""The client for asyncio; see :class:`app.client.sync.Client`, of whose methods these are the awaited twins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
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
from app.client.sync import PIECE

P = ParamSpec("P")
T = TypeVar("T")


def _call(build: Callable[P, Call[T]]) -> Callable[Concatenate[AsyncClient, P], Awaitable[T]]:
    @wraps(build)
    def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        return self._send(build(*args, **kwargs))

    return method


def _stream(build: Callable[P, Stream[T]]) -> Callable[Concatenate[AsyncClient, P], AsyncGenerator[T]]:
    @wraps(build)
    def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T]:
        return self._listen(build(*args, **kwargs))

    return method


def _each(build: Callable[P, Flow[T]]) -> Callable[Concatenate[AsyncClient, P], AsyncGenerator[T]]:
    @wraps(build)
    def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> AsyncGenerator[T]:
        return self._drive(build(*args, **kwargs))

    return method


def _one(build: Callable[P, Flow[T]]) -> Callable[Concatenate[AsyncClient, P], Awaitable[T]]:
    @wraps(build)
    async def method(self: AsyncClient, /, *args: P.args, **kwargs: P.kwargs) -> T:
        (value,) = [each async for each in self._drive(build(*args, **kwargs))]
        return value

    return method


class AsyncClient:
    """A service, for asyncio; arguments and errors as of :class:`app.client.sync.Client`."""

    def __init__(
        self,
        url: str | None = None,
        *,
        api_key: str | None = None,
        timeout: float = 900.0,
        retries: int = 5,
        longest_wait: float = 60.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._config = Config.of(url, api_key, timeout, retries, longest_wait)
        self._http = httpx.AsyncClient(**self._config.http(), transport=transport)

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

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _send(self, call: Call[T]) -> T:
        attempts = Attempts(call, self._config)
        while True:
            try:
                response = await self._http.request(**self._options(call))
            except httpx.TransportError as error:
                wait = attempts.failed(error)
            else:
                again = attempts.answered(response)
                if again is None:
                    return call.read(response)
                wait = again
            await asyncio.sleep(wait)

    async def _listen(self, stream: Stream[T]) -> AsyncGenerator[T]:
        attempts = Attempts(stream.call, self._config)
        begun = False
        while True:
            try:
                async with self._http.stream(**self._options(stream.call)) as response:
                    if not response.is_success:
                        await response.aread()
                    wait = attempts.answered(response)
                    if wait is None:
                        async for event in EventSource(response).aiter_sse():
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
            await asyncio.sleep(wait)

    async def _drive(self, flow: Flow[T]) -> AsyncGenerator[T]:
        answer: Any = None
        try:
            step = next(flow)
            while True:
                if isinstance(step, Emit):
                    yield step.value
                elif isinstance(step, Pause):
                    await asyncio.sleep(step.seconds)
                else:
                    try:
                        answer = await self._send(step)
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


async def _pieces(path: Path) -> AsyncGenerator[bytes]:
    with path.open("rb") as file:
        while piece := await asyncio.to_thread(file.read, PIECE):
            yield piece
