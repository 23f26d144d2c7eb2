"""Time as an event loop has it: waiting counts, but not what a busy machine keeps the loop from."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

TICK = 0.005
"""Seconds: what is waited for less does not show."""


class Waited:
    """How long a block waited.

    Attributes:
        seconds: by ticks of the loop, which come late on a busy machine and so are fewer.
    """

    seconds = 0.0


@asynccontextmanager
async def waiting() -> AsyncIterator[Waited]:
    """Measure a block by what else the loop could have done meanwhile."""
    waited = Waited()

    async def tick() -> None:
        while True:
            await asyncio.sleep(TICK)
            waited.seconds += TICK

    ticking = asyncio.create_task(tick())
    try:
        yield waited
    finally:
        ticking.cancel()
