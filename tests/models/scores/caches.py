"""Score caches to try, and what holds of any."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

from models.scores.cache import ScoreCache
from models.scores.key import KeySpace
from tests.support.loop_time import waiting

LONGEST = 0.100
"""Seconds that a batch may wait for Redis, of the event loop's."""

SLACK = 0.050
"""Seconds by which timers may be late besides."""

LARGE = 64 << 20
NOTHING = 0
"""A cache with no memory of its own asks Redis for everything."""


def in_a_loop(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


@asynccontextmanager
async def opened(memory: int, url: str | None = None) -> AsyncIterator[ScoreCache]:
    cache = await ScoreCache.open(memory, url)
    try:
        yield cache
    finally:
        await cache.close()


def batch(number: int, size: int = 48) -> dict[bytes, bytes]:
    """Values that tell their keys, so that a wrong one is seen."""
    keys = [KeySpace("test", str(number)).key([i]) for i in range(size)]
    return {key: key * 6 for key in keys}


def right(keys: Sequence[bytes], values: Sequence[bytes | None]) -> bool:
    return all(value is None or value == key * 6 for key, value in zip(keys, values, strict=True))


async def until(condition: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.01)


async def well(cache: ScoreCache) -> None:
    """Wait until Redis is asked: a busy machine may have made it slow, which opens the breaker."""
    cache.hurry()
    await until(lambda: cache.counters.breaker == "closed")


async def hit(cache: ScoreCache, items: Mapping[bytes, bytes]) -> None:
    """Get values that are in Redis until one comes in time, which a busy machine may put off."""
    hits, deadline = cache.counters.hits_remote, time.monotonic() + 300
    while cache.counters.hits_remote == hits:
        assert time.monotonic() < deadline, "not in time"
        await well(cache)
        assert right(list(items), await cache.get_many(list(items)))


async def timed(cache: ScoreCache, items: Mapping[bytes, bytes]) -> tuple[list[bytes | None], float]:
    async with waiting() as waited:
        values = await cache.get_many(list(items))
    return values, waited.seconds
