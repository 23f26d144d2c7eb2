"""Admission: how many requests use the engine at a time, and how many may wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from opentelemetry.trace import NoOpTracer, Tracer

from app.web.codes import Code
from app.web.problems import failure

IDLE_SECONDS = 1.0
"""Time without a request after which freed memory goes back to the operating system."""


class Admission:
    """At most ``running`` holders at a time, at most ``waiting`` more in a queue.

    ``on_idle`` is called once nobody has been there for :data:`IDLE_SECONDS` seconds.

    Attributes:
        tracer: of the span ``turn``, the wait.
    """

    def __init__(self, running: int, waiting: int, on_idle: Callable[[], object] = lambda: None) -> None:
        self.tracer: Tracer = NoOpTracer()
        self._on_idle = on_idle
        self._idle: asyncio.TimerHandle | None = None
        self._slots = asyncio.Semaphore(running)
        self._running = running
        self._most = running + waiting
        self._present = 0

    @property
    def present(self) -> int:
        """Holders and waiters."""
        return self._present

    @property
    def running(self) -> int:
        """Holders."""
        return min(self._present, self._running)

    @asynccontextmanager
    async def take(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it.

        Raises:
            ProblemError: 429 if the queue is full.
        """
        if self._present >= self._most:
            message = f"{self._present} requests are running or waiting, the most this service takes"
            remedy = "try again after the seconds that the Retry-After header gives"
            raise failure(429, Code.BUSY, message, remedy, headers={"Retry-After": str(max(1, self._most // 2))})
        self._present += 1
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None
        try:
            with self.tracer.start_as_current_span("turn", end_on_exit=True):
                await self._slots.acquire()
            try:
                yield
            finally:
                self._slots.release()
        finally:
            self._present -= 1
            if not self._present:
                self._idle = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._on_idle)
