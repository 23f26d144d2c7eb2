"""Draining: new work is refused, running work may finish, and the rest ends with a problem."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field

from starlette.types import Receive, Scope, Send

from app.web.asgi import HttpMiddleware
from app.web.codes import Code
from app.web.path_policy import policy_of
from app.web.problems import ProblemError, failure

FAREWELL_SECONDS = 2.0
"""Time that last events may take to reach their readers."""


@dataclass(eq=False)
class Drain:
    """State of a service that stops or will.

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
        await self._idle(FAREWELL_SECONDS)

    def problem(self) -> ProblemError:
        """The refusal of a stopping service: 503, to be sent again to another instance or later."""
        seconds = math.ceil(max(0.0, self._until - time.monotonic())) + 1
        remedy = "send the request again after the seconds that the Retry-After header gives"
        headers = {"Retry-After": str(seconds), "Connection": "close"}
        return failure(503, Code.STOPPING, "the service is stopping", remedy, headers=headers)

    async def _idle(self, within: float) -> None:
        deadline = time.monotonic() + within
        while self.busy and time.monotonic() < deadline:
            await asyncio.sleep(0.02)


@dataclass(eq=False)
class DrainMiddleware(HttpMiddleware):
    """Counts requests under way, and refuses new ones once stopping has begun."""

    drain: Drain

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Count the request, or refuse it."""
        if policy_of(scope).probe:
            await self.app(scope, receive, send)
        elif self.drain.started.is_set():
            await self.drain.problem().response()(scope, receive, send)
        else:
            self.drain.busy += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self.drain.busy -= 1
