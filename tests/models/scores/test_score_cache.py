"""The score cache against a real server."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest

from models.scores import connection, redis
from models.scores.cache import ENTRY_BYTES
from models.scores.key import KeySpace
from models.scores.redis import KEY_PREFIX, MAX_PENDING_BYTES
from tests.models.scores.caches import LARGE, NOTHING, batch, in_a_loop, opened, until, well
from tests.support.valkey import Valkey


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a real server as long as a busy machine makes it take."""
    for limit in ("MAX_READ_SECONDS", "MAX_WRITE_SECONDS", "MAX_FLUSH_SECONDS"):
        monkeypatch.setattr(redis, limit, 60.0)
    monkeypatch.setattr(connection, "PROMPT_SECONDS", 60.0)


@in_a_loop
async def test_without_redis() -> None:
    async with opened(LARGE) as cache:
        items = batch(0)
        cache.put_many(items)
        assert await cache.get_many([*items, b"?" * 16]) == [*items.values(), None]
        counters = cache.counters
        assert (counters.hits_local, counters.misses, counters.breaker) == (48, 1, "off")
        assert counters.entries == 48 and counters.bytes_held == 48 * (96 + ENTRY_BYTES)


@pytest.mark.usefixtures("patient")
@in_a_loop
async def test_one_read_and_one_write_a_batch(valkey: Valkey) -> None:
    items = batch(1)
    async with opened(LARGE, valkey.url) as cache:
        cache.put_many(items)
        await until(lambda: cache.counters.writes == 48)
        assert await cache.get_many(list(items)) == list(items.values())
        assert cache.counters.hits_local == 48 and valkey.calls("mset") == 1
    reads = valkey.calls("mget")
    async with opened(LARGE, valkey.url) as cache:
        probes = valkey.calls("mget") - reads
        assert await cache.get_many([*items, b"?" * 16, *items]) == [*items.values(), None, *items.values()]
        assert valkey.calls("mget") == reads + probes + 1
        counters = cache.counters
        assert (counters.hits_local, counters.hits_remote, counters.misses) == (0, 96, 1)
        assert await cache.get_many(list(items)) == list(items.values())
        assert cache.counters.hits_local == 48 and valkey.calls("mget") == reads + probes + 1
    assert all(key.startswith(KEY_PREFIX) and len(key) == len(KEY_PREFIX) + 16 for key in valkey.client.scan_iter())


@pytest.mark.usefixtures("patient")
@in_a_loop
async def test_closing_writes_what_waits(valkey: Valkey) -> None:
    async with opened(LARGE, valkey.url) as cache:
        for number in range(100):
            cache.put_many(batch(number))
    assert cache.counters.writes == 4800 == valkey.client.dbsize() and cache.counters.dropped_writes == 0
    assert valkey.calls("mset") < 10


@pytest.mark.usefixtures("patient")
@in_a_loop
async def test_values_survive_a_restart_of_the_server(valkey: Valkey) -> None:
    items = batch(2)
    async with opened(NOTHING, valkey.url) as cache:
        cache.put_many(items)
        await until(lambda: cache.counters.writes == 48)
        valkey.stop()
        assert await cache.get_many(list(items)) == [None] * 48
        assert cache.counters.breaker != "closed" and cache.counters.errors == 1
        valkey.start()
        cache.hurry()
        await until(lambda: cache.counters.breaker == "closed")
        assert await cache.get_many(list(items)) == list(items.values())


@pytest.mark.usefixtures("patient")
@in_a_loop
async def test_a_connection_that_the_server_closed_is_made_anew(valkey: Valkey) -> None:
    items = batch(2)
    async with opened(NOTHING, valkey.url) as cache:
        cache.put_many(items)
        await until(lambda: cache.counters.writes == 48)
        valkey.client.client_kill_filter(_type="normal", skipme=True)
        assert await cache.get_many(list(items)) == list(items.values())
        valkey.stop()
        valkey.start()
        assert await cache.get_many(list(items)) == list(items.values())
        assert cache.counters.errors == 0 and cache.counters.breaker == "closed"


@pytest.mark.usefixtures("patient")
@in_a_loop
async def test_two_hundred_at_once_share_reads(valkey: Valkey) -> None:
    async with opened(NOTHING, valkey.url) as cache:
        for number in range(20):
            cache.put_many(batch(number))
        await until(lambda: cache.counters.writes == 960)
        before = valkey.calls("mget")
        batches = [batch(number % 20) for number in range(200)]
        answers = await asyncio.gather(*(cache.get_many(list(items)) for items in batches))
        assert answers == [list(items.values()) for items in batches]
        assert valkey.calls("mget") - before < 10


@pytest.mark.usefixtures("patient")
@in_a_loop
async def test_a_caller_that_goes_away_disturbs_nobody(valkey: Valkey) -> None:
    items = batch(3)
    async with opened(NOTHING, valkey.url) as cache:
        cache.put_many(items)
        await until(lambda: cache.counters.writes == 48)
        for _ in range(50):
            tasks = [asyncio.create_task(cache.get_many(list(items))) for _ in range(4)]
            await asyncio.sleep(0)
            tasks[0].cancel()
            _, *others = await asyncio.gather(*tasks, return_exceptions=True)
            assert others == [list(items.values())] * 3
        assert cache.counters.errors == 0 and cache.counters.breaker == "closed"


@in_a_loop
async def test_a_busy_loop_is_not_taken_for_a_slow_server(valkey: Valkey) -> None:
    items = batch(4)
    async with opened(NOTHING, valkey.url) as cache:
        cache.put_many(items)
        await until(lambda: cache.counters.writes == 48)
        await well(cache)

        def busy() -> None:
            valkey.send(signal.SIGCONT)
            time.sleep(0.3)

        for _ in range(5):
            # The question is under way and the reply comes while the loop is busy, on whatever machine.
            valkey.send(signal.SIGSTOP)
            asyncio.get_running_loop().call_later(0.002, busy)
            assert await cache.get_many(list(items)) == list(items.values())
        assert cache.counters.breaker == "closed"


@in_a_loop
async def test_writes_that_find_no_room_are_dropped_and_counted(valkey: Valkey) -> None:
    async with opened(NOTHING, valkey.url) as cache:
        valkey.send(signal.SIGSTOP)
        value = b"v" * 100_000
        for number in range(200):
            cache.put_many({KeySpace(str(number)).key(): value})
        fit = MAX_PENDING_BYTES // (len(value) + len(KEY_PREFIX) + 20)
        assert cache.counters.dropped_writes == 200 - fit
        valkey.send(signal.SIGCONT)
        await until(lambda: cache.counters.writes == fit)
