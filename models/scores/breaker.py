"""A circuit breaker that probes its server by itself, in the background.

The breakers of purgatory (3.0.1) and its like let a caller's own request try the server after a
fixed time, all concurrent callers at once; here no caller ever pays for a try.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

log = logging.getLogger(__name__)

State = Literal["closed", "open", "half-open"]


@dataclass(eq=False)
class Breaker:
    """Circuit breaker of a server, which is asked only while it is closed.

    It opens on the first error, and when slow replies add up. While it is open, a task probes the
    server after a pause, which doubles with every failure.

    Attributes:
        name: of the server, for the log.
        probe: asks the server something; raises if it is not well.
        first_pause: seconds until the first probe.
        longest_pause: seconds that a pause grows to.
        calm: an opening less than this many seconds after the last closing doubles the pause, so
            that a server which only answers probes is asked less and less.
        patience: seconds that slow replies may take together.
        forgiven: seconds of slow replies forgotten in a second.
    """

    name: str
    probe: Callable[[], Awaitable[None]]
    first_pause: float = 1.0
    longest_pause: float = 10.0
    calm: float = 30.0
    patience: float = 0.050
    forgiven: float = 0.010
    state: State = "closed"
    _pause: float = 0.0
    _closed_at: float = float("-inf")
    _waited: float = 0.0
    _waited_at: float = 0.0
    _hurry: asyncio.Event = field(default_factory=asyncio.Event)
    _recovery: asyncio.Task[None] | None = None
    _ended: bool = False

    @property
    def closed(self) -> bool:
        """Whether the server may be asked."""
        return self.state == "closed" and not self._ended

    async def start(self) -> None:
        """Probe once before anyone asks; open if that fails."""
        try:
            await self.probe()
        except Exception as error:  # whatever a broken server makes its client raise
            self.trip(describe(error))

    def slow(self, delay: float) -> None:
        """Book a slow reply of ``delay`` seconds; open if they add up."""
        now = time.monotonic()
        rest = max(0.0, self._waited - self.forgiven * (now - self._waited_at))
        self._waited, self._waited_at = min(rest + delay, self.patience), now
        if self._waited >= self.patience:
            self.trip(f"it answers slowly, {delay * 1000:.0f} ms")

    def trip(self, reason: str) -> None:
        """Open, if closed, and begin to probe."""
        if not self.closed:
            return
        again = time.monotonic() - self._closed_at < self.calm
        self._pause = min(self._pause * 2, self.longest_pause) if again else self.first_pause
        self.state = "open"
        self._hurry.clear()
        log.warning("%s is not asked for now: %s", self.name, reason)
        self._recovery = asyncio.create_task(self._recover())

    def hurry(self) -> None:
        """Probe now if open: there is reason to think that the server has just come up."""
        self._hurry.set()

    async def close(self) -> None:
        """Let nobody ask any more."""
        self._ended = True
        if self._recovery is not None:
            self._recovery.cancel()
            await asyncio.gather(self._recovery, return_exceptions=True)

    async def _recover(self) -> None:
        while self.state != "closed":
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), self._pause)
            self._hurry.clear()
            self.state = "half-open"
            try:
                await self.probe()
            except Exception as error:  # whatever a broken server makes its client raise
                log.debug("%s is still away: %s", self.name, describe(error))
                self.state = "open"
                self._pause = min(self._pause * 2, self.longest_pause)
            else:
                self.state = "closed"
                self._closed_at = time.monotonic()
                log.info("%s is asked again", self.name)


def describe(error: BaseException) -> str:
    """An error for the log, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())
