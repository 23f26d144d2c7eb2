"""The score cache at servers that are unwell."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from models.scores.cache import ScoreCache
from tests.models.scores.caches import (
    LARGE,
    LONGEST,
    NOTHING,
    SLACK,
    batch,
    hit,
    in_a_loop,
    opened,
    right,
    timed,
    until,
    well,
)
from tests.support.loop_time import waiting
from tests.support.valkey import Valkey, listening, slowed


async def suffer(cache: ScoreCache, harm: Mapping[int, Callable[[], None]], *, batches: int = 200) -> list[float]:
    """Put and get batches with harm done before some, to a server in use; no answer may be wrong. Seconds of each."""
    seconds: list[float] = []
    for number in range(batches):
        if number in harm:
            await well(cache)
            harm[number]()
        items = batch(number % 40)
        values, took = await timed(cache, items)
        assert right(list(items), values)
        seconds.append(took)
        cache.put_many(items)
        await asyncio.sleep(0.002)
    return seconds


@in_a_loop
async def test_killed_in_the_middle(valkey: Valkey) -> None:
    async with opened(NOTHING, valkey.url) as cache:
        seconds = await suffer(cache, {100: lambda: valkey.stop(signal.SIGKILL)})
        assert max(seconds) < LONGEST + SLACK and sum(seconds[100:]) < LONGEST + 2 * SLACK
        assert cache.counters.breaker != "closed"
        valkey.start()
        await until(lambda: cache.counters.breaker == "closed")
        await suffer(cache, {})
        await until(lambda: cache.counters.writes > 4800)
        await hit(cache, batch(0))


@in_a_loop
async def test_hung_in_the_middle(valkey: Valkey) -> None:
    async with opened(NOTHING, valkey.url) as cache:
        for number in range(40):
            cache.put_many(batch(number))
        await until(lambda: cache.counters.writes == 40 * 48)
        seconds = await suffer(cache, {100: lambda: valkey.send(signal.SIGSTOP)})
        assert max(seconds) < LONGEST + SLACK and sum(seconds[100:]) < LONGEST + 2 * SLACK
        assert cache.counters.breaker != "closed"
        valkey.send(signal.SIGCONT)
        await until(lambda: cache.counters.breaker == "closed")
        await suffer(cache, {}, batches=40)
        await hit(cache, batch(0))
        assert cache.counters.corrupt == 0


@in_a_loop
async def test_late_replies_answer_nothing_else(valkey: Valkey) -> None:
    """Hangs of a little more than the deadline, over and over: each reply comes just too late."""
    done = threading.Event()

    def hang() -> None:
        while not done.wait(0.03):
            valkey.send(signal.SIGSTOP)
            time.sleep(0.055)
            valkey.send(signal.SIGCONT)

    async with opened(NOTHING, valkey.url) as cache:
        await suffer(cache, {}, batches=40)
        thread = threading.Thread(target=hang)
        thread.start()
        try:
            deadline = time.monotonic() + 300
            # On a busy machine slow replies open the breaker before one is late.
            for rounds in count():
                cache.hurry()
                seconds = await suffer(cache, {}, batches=20)
                assert max(seconds) < LONGEST + SLACK
                if rounds >= 10 and (cache.counters.errors or time.monotonic() > deadline):
                    break
        finally:
            done.set()
            thread.join()
        assert cache.counters.errors > 0 and cache.counters.corrupt == 0


@in_a_loop
async def test_two_hundred_callers_of_a_hung_server_wait_once(valkey: Valkey) -> None:
    async with opened(NOTHING, valkey.url) as cache:
        await well(cache)
        valkey.send(signal.SIGSTOP)
        async with waiting() as waited:
            answers = await asyncio.gather(*(cache.get_many(list(batch(number))) for number in range(200)))
        assert waited.seconds < LONGEST + SLACK
        assert answers == [[None] * 48] * 200 and cache.counters.errors == 1


@pytest.mark.parametrize("delay", [0.015, 0.03, 0.045])
@in_a_loop
async def test_a_slow_server_is_left_alone(valkey: Valkey, delay: float) -> None:
    delays = [0.0]
    async with slowed(valkey.socket, delays) as url, opened(NOTHING, url) as cache:
        await suffer(cache, {}, batches=20)
        delays[0] = delay
        seconds = await suffer(cache, {}, batches=100)
        assert sum(seconds) < LONGEST + SLACK and cache.counters.breaker != "closed"
        delays[0] = 0.0
        await until(lambda: cache.counters.breaker == "closed")


@in_a_loop
async def test_a_closed_port() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{free.getsockname()[1]}"
        async with opened(LARGE, url) as cache:
            seconds = await suffer(cache, {}, batches=20)
            assert max(seconds) < SLACK and cache.counters.hits_local == 0
            assert await cache.get_many(list(batch(0))) == list(batch(0).values())
        assert cache.counters.dropped_writes == 20 * 48


async def _silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(30)


def _always(reply: bytes) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1 << 16):
            writer.write(reply)

    return answer


GARBAGE = {
    "noise": os.urandom(4096),
    "http": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "ok": b"+OK\r\n",
    "number": b":1\r\n",
    "short list": b"*1\r\n$-1\r\n",
    "nested": b"*48\r\n" + b"*1\r\n:1\r\n" * 48,
    "endless": b"$1000000\r\nabc",
    "oom": b"-OOM command not allowed when used memory > 'maxmemory'.\r\n",
    "readonly": b"-READONLY You can't write against a read only replica.\r\n",
    "loading": b"-LOADING the dataset\r\n",
    "noauth": b"-NOAUTH Authentication required.\r\n",
}


@pytest.mark.parametrize("kind", ["silence", *GARBAGE])
@in_a_loop
async def test_a_server_that_talks_nonsense(kind: str) -> None:
    answer = _silence if kind == "silence" else _always(GARBAGE[kind])
    async with listening(answer) as url:
        cache = ScoreCache(NOTHING, url)  # unlike open(), not warned by a first try
        try:
            seconds = await suffer(cache, {}, batches=50)
            assert sum(seconds) < LONGEST + SLACK
            assert cache.counters.errors > 0 and cache.counters.breaker != "closed"
            assert cache.counters.hits_remote == 0
        finally:
            async with waiting() as waited:
                await cache.close()
            assert waited.seconds < 1.5


@in_a_loop
async def test_errors_of_a_real_server_never_raise(tmp_path: Path) -> None:
    for options, reads in (
        (("--requirepass", "secret"), False),
        (("--maxmemory", "1", "--maxmemory-policy", "noeviction"), True),
        (("--replicaof", "127.0.0.1 1"), True),
    ):
        server = Valkey(tmp_path, options)
        if "--requirepass" in options:
            server.client.connection_pool.connection_kwargs["password"] = "secret"
        server.start()
        try:
            async with opened(NOTHING, server.url) as cache:
                cache.put_many(batch(0))
                assert await cache.get_many(list(batch(0))) == [None] * 48
                await until(lambda cache=cache: cache.counters.errors > 0)  # type: ignore[misc]
                if reads:
                    await well(cache)
                else:
                    assert cache.counters.breaker != "closed"
                assert cache.counters.writes == 0
        finally:
            server.stop()


@in_a_loop
async def test_a_password_in_the_url_is_used(tmp_path: Path) -> None:
    server = Valkey(tmp_path, ("--requirepass", "se/cret"))
    server.client.connection_pool.connection_kwargs["password"] = "se/cret"
    server.start()
    try:
        async with opened(NOTHING, f"{server.url}?password=se%2Fcret&socket_timeout=60&retry_on_timeout=yes") as cache:
            cache.put_many(batch(0))
            await until(lambda: cache.counters.writes == 48)
            await hit(cache, batch(0))
    finally:
        server.stop()
