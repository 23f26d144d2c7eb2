"""Many together or one alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class ReadWriteLock:
    """A lock that many may share or one may have alone; who waits to be alone goes before later sharers.

    It is let go without waiting for anything, so that a task that is cancelled meanwhile cannot keep it.
    """

    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _sharing: int = 0
    _alone: bool = False
    _wanting: int = 0

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Hold it with others."""
        while self._alone or self._wanting:
            await self._changed.wait()
        self._sharing += 1
        try:
            yield
        finally:
            self._sharing -= 1
            self._change()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold it alone."""
        self._wanting += 1
        try:
            while self._alone or self._sharing:
                await self._changed.wait()
            self._alone = True
        finally:
            self._wanting -= 1
            self._change()
        try:
            yield
        finally:
            self._alone = False
            self._change()

    def _change(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()
