"""The clients: what performs the steps of an exchange, with blocking calls or with awaited ones."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Generator, Iterator
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

import httpx

from chainwright_client.answers import Answer
from chainwright_client.event_stream import StreamEvent
from chainwright_client.exchange import Call, Emit, Many
from chainwright_client.service import Service

T = TypeVar("T")
A = TypeVar("A")
S = TypeVar("S")


class TaskCall(Generic[A, S]):
    """A task of the service as a method."""

    def __init__(self, client: Any, name: str) -> None:
        self._client = client
        self.name = name

    def __call__(self, **fields: Any) -> A:
        """The answer."""
        answer: A = self._client._call(self.name, fields)
        return answer

    def stream(self, **fields: Any) -> S:
        """Events while the task runs; the last is ``done``, with the answer. The task ends when this is closed."""
        events: S = self._client._stream(self.name, fields)
        return events


class Client(Service):
    """A service, for threads; one client may be shared by several.

    Each of the service's tasks is a method, as :meth:`tasks` lists them: ``client.NAME(**fields)`` gives its answer,
    and ``client.NAME.stream(**fields)`` its events. A call raises AttributeError for a task that the service does not
    have, and TypeError for fields that the task does not have.

    Args:
        url: of the service; CHAINWRIGHT_URL, or http://127.0.0.1:8000, if left out.
        api_key: sent with every request; CHAINWRIGHT_API_KEY if left out.
        timeout: seconds that an answer of the model may take.
        retries: of a call: after 429 and 503, and after errors of the connection if the call may be repeated.
        longest_wait: seconds of Retry-After beyond which the problem is raised instead.
        transport: of httpx, in place of the network.

    Raises:
        ValueError: the URL is none of http, or the key cannot be one.

    Every method raises :class:`chainwright_client.ServiceError` with the service's problem,
    :class:`chainwright_client.UnreachableError` or :class:`chainwright_client.TimedOutError`.
    """

    _http: httpx.Client
    _http_class = httpx.Client

    def __getattr__(self, name: str) -> TaskCall[Answer, Generator[StreamEvent]]:
        return TaskCall(self, self._checked(name))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _first(self, steps: Many[T]) -> T:
        (value,) = self._drive(steps)
        return value

    def _drive(self, steps: Many[T]) -> Generator[T]:
        reply: Any = None
        response: httpx.Response | None = None
        pieces: Iterator[bytes] = iter(())
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Emit):
                        yield step.value
                    elif isinstance(step, Call):
                        request = step.request(self._http, self._config)
                        reply = response = self._http.send(request, stream=step.streams)
                        if not response.is_success:
                            response.read()
                        pieces = response.iter_bytes()
                    elif isinstance(step, httpx.Response):
                        reply = next(pieces, b"")
                    else:
                        time.sleep(step)
                except httpx.TransportError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(reply)
        except StopIteration:
            return
        finally:
            steps.close()
            if response is not None:
                response.close()


class AsyncClient(Service):
    """A service, for asyncio; arguments, methods and errors are those of :class:`chainwright_client.Client`."""

    _http: httpx.AsyncClient
    _http_class = httpx.AsyncClient

    def __getattr__(self, name: str) -> TaskCall[Awaitable[Answer], AsyncGenerator[StreamEvent]]:
        return TaskCall(self, self._checked(name))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    async def _first(self, steps: Many[T]) -> T:
        (value,) = [value async for value in self._drive(steps)]
        return value

    async def _drive(self, steps: Many[T]) -> AsyncGenerator[T]:
        reply: Any = None
        response: httpx.Response | None = None
        pieces: AsyncIterator[bytes]
        try:
            step = next(steps)
            while True:
                try:
                    if isinstance(step, Emit):
                        yield step.value
                    elif isinstance(step, Call):
                        request = step.request(self._http, self._config)
                        reply = response = await self._http.send(request, stream=step.streams)
                        if not response.is_success:
                            await response.aread()
                        pieces = response.aiter_bytes()
                    elif isinstance(step, httpx.Response):
                        reply = await anext(pieces, b"")
                    else:
                        await asyncio.sleep(step)
                except httpx.TransportError as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(reply)
        except StopIteration:
            return
        finally:
            steps.close()
            if response is not None:
                await response.aclose()
