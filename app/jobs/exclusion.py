"""Many together or one alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(eq=False)
class Exclusion:
    """A lock that many may share or one may have alone; who waits to be alone goes before later sharers."""

    _condition: asyncio.Condition = field(default_factory=asyncio.Condition)
    _sharing: int = 0
    _alone: bool = False
    _wanting: int = 0

    @asynccontextmanager
    async def shared(self) -> AsyncIterator[None]:
        """Hold it with others."""
        async with self._condition:
            await self._condition.wait_for(lambda: not self._alone and not self._wanting)
            self._sharing += 1
        try:
            yield
        finally:
            async with self._condition:
                self._sharing -= 1
                self._condition.notify_all()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Hold it alone."""
        async with self._condition:
            self._wanting += 1
            try:
                await self._condition.wait_for(lambda: not self._alone and not self._sharing)
                self._alone = True
            finally:
                self._wanting -= 1
                self._condition.notify_all()
        try:
            yield
        finally:
            async with self._condition:
                self._alone = False
                self._condition.notify_all()
