"""A run as server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack

import structlog
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from app.problems import Fault, ProblemError, make
from app.sentences.service import SentencesRun

STEP_SECONDS = 0.2
"""Least time between two `step` events."""


async def events(sampling: SentencesRun) -> AsyncGenerator[bytes]:
    """The events of a run.

    ``step`` at most every :data:`STEP_SECONDS`, the first and the last step always; ``sentence``
    whenever the best sentence so far is found; at the end ``done`` with the full answer, or
    ``error`` with a problem.
    """
    due = 0.0
    try:
        async for progress in sampling.progress():
            if progress.best is not None:
                yield _event("sentence", sampling.sentence(progress.best))
            now = time.monotonic()
            if now >= due or progress.step.number == sampling.request.sampler.steps:
                due = now + STEP_SECONDS
                yield _event("step", sampling.report(progress.step))
        yield _event("done", sampling.answer())
    except ProblemError as error:
        yield _event("error", error.problem())
    except Exception as error:
        structlog.get_logger().error("unexpected error in a stream", exc_info=error)
        fault = Fault(field="", message="something failed inside the service", remedy="try again; see the log")
        yield _event("error", make(500, [fault]))


async def with_pings(source: AsyncGenerator[bytes], seconds: float) -> AsyncGenerator[bytes]:
    """The source, with a comment after every so many seconds of silence."""
    pending: asyncio.Future[bytes] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(source))
            done, _ = await asyncio.wait([pending], timeout=seconds)
            if not done:
                yield KEEPALIVE_COMMENT
                continue
            try:
                chunk = pending.result()
            except StopAsyncIteration:
                return
            pending = None
            yield chunk
    finally:
        if pending is not None:
            pending.cancel()
            await asyncio.wait([pending])
        await source.aclose()


class RunResponse(EventSourceResponse):
    """Streams a run and ends its turn, whatever happens on the way."""

    def __init__(self, sampling: SentencesRun, held: AsyncExitStack, ping_seconds: float) -> None:
        self._held = held
        self._chunks = with_pings(events(sampling), ping_seconds)
        super().__init__(self._chunks, headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._held:
            try:
                # Below 2.4, starlette watches for the client's leaving while it sends.
                asgi = {**scope.get("asgi", {}), "spec_version": "2.3"}
                await super().__call__({**scope, "asgi": asgi}, receive, send)
            finally:
                await self._chunks.aclose()


def _event(name: str, data: BaseModel) -> bytes:
    return format_sse_event(event=name, data_str=data.model_dump_json())
