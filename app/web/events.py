"""Server-sent events of work that runs meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Any

import structlog
from anyio import CancelScope
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from app.web.codes import Code
from app.web.drain import Drain
from app.web.json_text import one_line
from app.web.problems import ProblemError, failure

CLOSING_SECONDS = 0.2
"""Time of a stream that is cut for an end of its own."""


def event(name: str, data: BaseModel) -> bytes:
    """One event with JSON in its data."""
    return format_sse_event(event=name, data_str=one_line(data.model_dump_json()))


async def with_errors(source: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """The source, and an ``error`` event with a problem should it fail midway."""
    try:
        async for chunk in source:
            yield chunk
    except ProblemError as error:
        yield event("error", error.problem())
    except Exception as error:
        structlog.get_logger().error("unexpected error in a stream", exc_info=error)
        message, remedy = "something failed inside the service", "try again; see the log"
        yield event("error", failure(500, Code.INTERNAL_ERROR, message, remedy).problem())
    finally:
        await source.aclose()


async def with_pings(source: AsyncGenerator[bytes], seconds: float, drain: Drain) -> AsyncGenerator[bytes]:
    """The source, with a comment after every so many seconds of silence, and an ``error`` event when it is cut."""
    pending: asyncio.Future[bytes] | None = None
    cut = asyncio.ensure_future(drain.cut.wait())
    until = float("inf")
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(source))
            if not cut.done():
                both: list[asyncio.Future[Any]] = [pending, cut]
                await asyncio.wait(both, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if cut.done():
                until = min(until, time.monotonic() + CLOSING_SECONDS)
                await asyncio.wait([pending], timeout=max(0.0, until - time.monotonic()))
                if not pending.done() or time.monotonic() > until:
                    yield event("error", drain.problem().problem())
                    return
            elif not pending.done():
                yield KEEPALIVE_COMMENT
                continue
            try:
                chunk = pending.result()
            except StopAsyncIteration:
                return
            pending = None
            yield chunk
    finally:
        cut.cancel()
        # A client that left cancels whatever awaits here, again and again, and the source may take turns to end.
        with CancelScope(shield=True):
            if pending is not None:
                pending.cancel()
                await asyncio.wait([pending])
            await source.aclose()


class EventResponse(EventSourceResponse):
    """Streams events, with a comment after every ``ping_seconds`` of silence, and closes ``held`` at the end."""

    def __init__(self, events: AsyncGenerator[bytes], held: AsyncExitStack, ping_seconds: float) -> None:
        self._held = held
        self._events = with_errors(events)
        self._ping_seconds = ping_seconds
        super().__init__(self._events, headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chunks = with_pings(self._events, self._ping_seconds, scope["app"].state.drain)
        self.body_iterator = chunks
        async with self._held:
            try:
                # Below 2.4, starlette watches for the client's leaving while it sends.
                asgi = {**scope.get("asgi", {}), "spec_version": "2.3"}
                await super().__call__({**scope, "asgi": asgi}, receive, send)
            finally:
                await chunks.aclose()
                await self._events.aclose()
