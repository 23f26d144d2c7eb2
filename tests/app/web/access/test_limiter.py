"""Rates and quotas, counted in the process and in a real server."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest

from app.web.access import limiter as limiting
from app.web.access.limiter import Limiter
from tests.support.loop_time import waiting
from tests.support.valkey import Valkey


async def hits(limiter: Limiter, times: int, who: str = "a") -> list[bool]:
    return [(await limiter.hit(who)).over is None for _ in range(times)]


def test_without_limits_nothing_is_counted() -> None:
    verdict = asyncio.run(Limiter().hit("a"))
    assert verdict.over is None and verdict.headers == {}


def test_a_rate_is_kept_for_each_caller_and_told() -> None:
    async def work() -> None:
        limiter = Limiter(rate="3/minute", quota="100/day")
        assert await hits(limiter, 5) == [True] * 3 + [False] * 2
        assert await hits(limiter, 1, "b") == [True]
        verdict = await limiter.hit("a")
        assert verdict.over is not None and verdict.over.name == "rate"
        assert verdict.headers["RateLimit-Policy"].startswith('"rate";q=3;w=60')
        assert verdict.headers["RateLimit"].startswith('"rate";r=0;t=')
        assert 1 <= int(verdict.headers["Retry-After"]) <= 60

    asyncio.run(work())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time of day, which passes when it is told to."""
    now = [time.time()]
    monkeypatch.setattr(time, "time", lambda: now[0])
    return now


def test_a_refused_request_does_not_use_up_the_quota_and_own_limits_go_first(clock: list[float]) -> None:
    async def work() -> None:
        limiter = Limiter(rate="2/second", quota="4/day")
        for _ in range(2):
            assert await hits(limiter, 20) == [True] * 2 + [False] * 18
            clock[0] += 1.05
        verdict = await limiter.hit("a")
        assert verdict.over is not None and verdict.over.name == "quota" and verdict.over.reset > 3600
        assert (await limiter.hit("b", quota="1/day")).over is None
        assert (await limiter.hit("b", quota="1/day")).over is not None

    asyncio.run(work())


def test_after_retry_after_a_request_goes_through(clock: list[float]) -> None:
    async def work() -> None:
        limiter = Limiter(rate="5/2 seconds")
        assert await hits(limiter, 6) == [True] * 5 + [False]
        verdict = await limiter.hit("a")
        clock[0] += int(verdict.headers["Retry-After"]) + 0.001  # of travel
        assert (await limiter.hit("a")).over is None

    asyncio.run(work())


def test_services_that_share_a_redis_count_together_and_go_on_without_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy machine may take longer than a request waits for its counts.
    monkeypatch.setattr(limiting, "REDIS_TIMEOUT", 60.0)

    async def work() -> None:
        server = Valkey(tmp_path)
        server.start()
        try:
            one, two = Limiter(server.url, rate="4/minute"), Limiter(server.url, rate="4/minute")
            await one.start()
            await two.start()
            assert await hits(one, 3) == [True] * 3
            assert await hits(two, 3) == [True, False, False]
            server.stop()
            # Away: each counts by itself, and nobody waits for it.
            async with waiting() as waited:
                assert await hits(one, 5) == [True] * 4 + [False]
                assert await hits(two, 2) == [True] * 2
            assert waited.seconds < 1
            await one.stop()
            await two.stop()
        finally:
            server.stop()

    asyncio.run(work())


def test_a_redis_that_hangs_holds_one_request_up_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        server = Valkey(tmp_path)
        server.start()
        try:
            hung = Limiter(server.url, rate="3/minute")
            with monkeypatch.context() as patience:  # with a machine that is busy, until it hangs
                patience.setattr(limiting, "REDIS_TIMEOUT", 60.0)
                await hung.start()
                assert await hits(hung, 1) == [True]
            server.send(signal.SIGSTOP)
            async with waiting() as waited:
                assert await hits(hung, 4) == [True] * 3 + [False]
            assert waited.seconds < 0.5
            await hung.stop()
        finally:
            server.stop()

    asyncio.run(work())


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "unix:///nowhere/socket"])
def test_a_redis_that_never_was_there_stops_nothing(url: str) -> None:
    async def work() -> None:
        limiter = Limiter(url, rate="1/minute")
        async with waiting() as waited:
            await limiter.start()
            assert await hits(limiter, 2) == [True, False]
        assert waited.seconds < 1
        await limiter.stop()

    asyncio.run(work())
