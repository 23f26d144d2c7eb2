"""Admission: how many requests use the engine at a time, and how many may wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from opentelemetry.trace import NoOpTracer, Tracer

from app.web.codes import Code
from app.web.problems import Fault, ProblemError

REST = 1.0
"""Seconds without a request after which freed memory goes back to the operating system."""


class Admission:
    """At most ``running`` holders at a time, at most ``waiting`` more in a queue.

    ``on_rest`` is called once nobody has been there for :data:`REST` seconds.

    Attributes:
        tracer: of the span ``turn``, the wait.
    """

    def __init__(self, running: int, waiting: int, on_rest: Callable[[], object] = lambda: None) -> None:
        self.tracer: Tracer = NoOpTracer()
        self._on_rest = on_rest
        self._rest: asyncio.TimerHandle | None = None
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
            fault = Fault(
                field="",
                code=Code.BUSY,
                message=f"{self._present} requests are running or waiting, the most this service takes",
                remedy="try again after the seconds that the Retry-After header gives",
            )
            raise ProblemError(429, [fault], {"Retry-After": str(max(1, self._most // 2))})
        self._present += 1
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None
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
                self._rest = asyncio.get_running_loop().call_later(REST, self._on_rest)
