"""Rate limiter: counts requests against rates and quotas, in Redis if there is one, else in the process."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter, RateLimiter
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from app.settings.rates import parsed
from models.scores.breaker import Breaker, describe

REDIS_TIMEOUT = 0.1
"""Seconds for one request's counts, after which the process counts by itself."""


@dataclass(frozen=True, slots=True)
class Window:
    """A caller's state under one limit, a rate or a quota; ``reset`` is in seconds from now."""

    name: str
    limit: int
    seconds: int
    remaining: int
    reset: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """Decision on a request: the state of all limits, and the one that is used up, if any."""

    windows: tuple[Window, ...] = ()
    over: Window | None = None

    @property
    def headers(self) -> dict[str, str]:
        """RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10); Retry-After if over."""
        if not self.windows:
            return {}
        headers = {
            "RateLimit-Policy": ", ".join(f'"{w.name}";q={w.limit};w={w.seconds}' for w in self.windows),
            "RateLimit": ", ".join(f'"{w.name}";r={w.remaining};t={w.reset}' for w in self.windows),
        }
        return headers | ({"Retry-After": str(self.over.reset)} if self.over is not None else {})


@dataclass(eq=False)
class Limiter:
    """Counts for one service, or for all that share a Redis.

    While Redis is away the process counts by itself, from zero: no request fails or waits for it.

    Attributes:
        url: redis://, rediss:// or unix://; None for the process alone.
        rate: of callers whose key has none.
        quota: of the same callers.
    """

    url: str | None = None
    rate: str | None = None
    quota: str | None = None
    _alone: dict[str, RateLimiter] = field(default_factory=lambda: _strategies(MemoryStorage()), init=False)
    _shared: dict[str, RateLimiter] | None = None
    _storage: RedisStorage | None = None
    _breaker: Breaker | None = None

    async def start(self) -> None:
        """Connect to Redis, if there is one."""
        if self.url is None:
            return
        scheme, _, rest = self.url.partition("://")
        storage = self._storage = RedisStorage(
            f"async+{'redis+unix' if scheme == 'unix' else scheme}://{rest}",
            implementation="redispy",
            key_prefix="chainwright:limits",
            socket_timeout=REDIS_TIMEOUT,
            socket_connect_timeout=REDIS_TIMEOUT,
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]
        )
        self._shared = _strategies(storage)

        async def probe() -> None:
            async with asyncio.timeout(REDIS_TIMEOUT):
                if not await storage.check():
                    raise ConnectionError("it does not answer")

        self._breaker = Breaker("the Redis that counts requests", probe)
        await self._breaker.start()

    async def stop(self) -> None:
        """Disconnect."""
        if self._breaker is not None:
            await self._breaker.close()
        if self._storage is not None:
            await self._storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]

    async def hit(self, who: str, rate: str | None = None, quota: str | None = None) -> Verdict:
        """Count a request of ``who``, a key's id or an address; one that its rate refuses does not use up its quota.

        A rate and a quota of the caller's own go before those of the service.
        """
        limits = {"rate": rate or self.rate, "quota": quota or self.quota}
        items = [(name, parsed(text)) for name, text in limits.items() if text is not None]
        if self._shared is not None and self._breaker is not None and self._breaker.closed:
            try:
                async with asyncio.timeout(REDIS_TIMEOUT):
                    return await _count(self._shared, who, items)
            except Exception as error:  # whatever a broken server makes its client raise
                self._breaker.trip(describe(error))
        return await _count(self._alone, who, items)


def _strategies(storage: MemoryStorage | RedisStorage) -> dict[str, RateLimiter]:
    """An exact moving window for rates, a fixed one for quotas, which are long."""
    return {"rate": MovingWindowRateLimiter(storage), "quota": FixedWindowRateLimiter(storage)}


async def _count(strategies: dict[str, RateLimiter], who: str, items: list[tuple[str, RateLimitItem]]) -> Verdict:
    windows: list[Window] = []
    for name, item in items:
        allowed = await strategies[name].hit(item, name, who)
        stats = await strategies[name].get_window_stats(item, name, who)
        reset = max(1, math.ceil(stats.reset_time - time.time()))
        windows.append(Window(name, item.amount, item.get_expiry(), max(0, stats.remaining), reset))
        if not allowed:
            return Verdict(tuple(windows), windows[-1])
    return Verdict(tuple(windows))
