"""Stopping: new work is refused, what runs may finish, and what has not is told so."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field

from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.codes import Code
from app.web.problems import Fault, ProblemError, respond

PROBES = frozenset({"/health", "/ready", "/metrics"})
"""Paths that are answered also while the service stops, and that it does not wait for."""

FAREWELL = 2.0
"""Seconds that last words may take to reach their readers."""


@dataclass(eq=False)
class Drain:
    """How far stopping is.

    Attributes:
        seconds: that running work has to finish.
        started: set when the service begins to stop: take no new work.
        cut: set when the time is up: end now, with last words.
        busy: requests under way.
    """

    seconds: float
    started: asyncio.Event = field(default_factory=asyncio.Event)
    cut: asyncio.Event = field(default_factory=asyncio.Event)
    busy: int = 0
    _until: float = 0.0

    async def run(self) -> None:
        """Stop: returns when all work has ended or been cut."""
        self._until = time.monotonic() + self.seconds
        self.started.set()
        await self._idle(self.seconds)
        self.cut.set()
        await self._idle(FAREWELL)

    def problem(self) -> ProblemError:
        """Why there is no answer: 503, to be sent again to another instance or later."""
        fault = Fault(
            field="",
            code=Code.STOPPING,
            message="the service is stopping",
            remedy="send the request again after the seconds that the Retry-After header gives",
        )
        seconds = math.ceil(max(0.0, self._until - time.monotonic())) + 1
        return ProblemError(503, [fault], {"Retry-After": str(seconds), "Connection": "close"})

    async def _idle(self, within: float) -> None:
        deadline = time.monotonic() + within
        while self.busy and time.monotonic() < deadline:
            await asyncio.sleep(0.02)


class Gate:
    """Pure-ASGI middleware: counts requests under way, and refuses new ones once stopping has begun.

    Args:
        app: the application.
        drain: how far stopping is.
    """

    def __init__(self, app: ASGIApp, drain: Drain) -> None:
        self.app = app
        self.drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in PROBES:
            await self.app(scope, receive, send)
            return
        if self.drain.started.is_set():
            error = self.drain.problem()
            await respond(error.problem(), error.headers)(scope, receive, send)
            return
        self.drain.busy += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self.drain.busy -= 1
