"""Read-write lock for tasks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class ReadWriteLock:
    """Lock that many tasks share or one holds exclusively; exclusive waiters go before later sharers.

    Its release awaits nothing, so that a task that is cancelled meanwhile cannot keep it.
    """

    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _sharers: int = 0
    _exclusive: bool = False
    _exclusive_waiters: int = 0

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Hold it with others."""
        while self._exclusive or self._exclusive_waiters:
            await self._changed.wait()
        self._sharers += 1
        try:
            yield
        finally:
            self._sharers -= 1
            self._notify()

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Hold it exclusively."""
        self._exclusive_waiters += 1
        try:
            while self._exclusive or self._sharers:
                await self._changed.wait()
            self._exclusive = True
        finally:
            self._exclusive_waiters -= 1
            self._notify()
        try:
            yield
        finally:
            self._exclusive = False
            self._notify()

    def _notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
