"""The score cache against real servers, well and unwell."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.scores.cache import ENTRY_BYTES, ScoreCache
from models.scores.connection import connection_factory
from models.scores.key import KEY_BYTES, Field, KeySpace
from models.scores.redis import KEY_PREFIX, MAX_PENDING_BYTES, framed, unframed
from tests.support.loop_time import waiting
from tests.support.valkey import Valkey, listening, slowed

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


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    server = Valkey(tmp_path_factory.mktemp("v"))
    server.start()
    yield server
    server.stop()


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


async def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "not in time"
        await asyncio.sleep(0.01)


async def timed(cache: ScoreCache, items: Mapping[bytes, bytes]) -> tuple[list[bytes | None], float]:
    async with waiting() as waited:
        values = await cache.get_many(list(items))
    return values, waited.seconds


# Keys


fields = st.one_of(st.text(max_size=4), st.binary(max_size=4), st.lists(st.integers(0, 300), max_size=4))


@given(st.lists(fields, max_size=4), st.lists(fields, max_size=4))
def test_keys_are_equal_only_if_all_fields_are(one: list[Field], other: list[Field]) -> None:
    same = [(type(f), f) for f in one] == [(type(f), f) for f in other]
    assert (KeySpace(*one).key() == KeySpace(*other).key()) == same


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=12), st.integers(0, 12), st.integers(0, 12))
def test_where_the_context_ends_is_in_the_key(tokens: list[int], one: int, other: int) -> None:
    keys = [KeySpace("m", tokens[:cut]).key(tokens[cut:]) for cut in (one, other)]
    assert (keys[0] == keys[1]) == (min(one, len(tokens)) == min(other, len(tokens)))
    assert len(keys[0]) == KEY_BYTES and keys[0] != KeySpace("n", tokens[:one]).key(tokens[one:])


def test_a_key_space_is_a_prefix_of_the_fields() -> None:
    assert KeySpace("m", [1]).key([2]) == KeySpace("m").key([1], [2])


# Memory


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 300)), max_size=60), st.integers(0, 2000))
def test_memory_keeps_its_bound_and_the_latest(puts: list[tuple[int, int]], most: int) -> None:
    async def scenario() -> None:
        cache = ScoreCache(most)
        for name, size in puts:
            key = bytes([name])
            cache.put_many({key: b"v" * size})
            if size + ENTRY_BYTES <= most:
                assert await cache.get_many([key]) == [b"v" * size]
            held = [value for value in await cache.get_many([bytes([k]) for k in range(10)]) if value is not None]
            assert cache.counters.bytes_held == sum(len(value) + ENTRY_BYTES for value in held) <= most
            assert cache.counters.entries == len(held)

    asyncio.run(scenario())


@in_a_loop
async def test_memory_forgets_the_least_recently_used() -> None:
    cache = ScoreCache(2 * (ENTRY_BYTES + 1))
    cache.put_many({b"a": b"1", b"b": b"1"})
    assert await cache.get_many([b"a"]) == [b"1"]
    cache.put_many({b"c": b"1"})
    assert await cache.get_many([b"a", b"b", b"c"]) == [b"1", None, b"1"]


@in_a_loop
async def test_without_redis() -> None:
    async with opened(LARGE) as cache:
        items = batch(0)
        cache.put_many(items)
        assert await cache.get_many([*items, b"?" * 16]) == [*items.values(), None]
        counters = cache.counters
        assert (counters.hits_local, counters.misses, counters.breaker) == (48, 1, "off")
        assert counters.entries == 48 and counters.bytes_held == 48 * (96 + ENTRY_BYTES)


# A server that is well


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


@in_a_loop
async def test_closing_writes_what_waits(valkey: Valkey) -> None:
    async with opened(LARGE, valkey.url) as cache:
        for number in range(100):
            cache.put_many(batch(number))
    assert cache.counters.writes == 4800 == valkey.client.dbsize() and cache.counters.dropped_writes == 0
    assert valkey.calls("mset") < 10


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
        for _ in range(5):
            asyncio.get_running_loop().call_later(0.0001, time.sleep, 0.1)
            assert await cache.get_many(list(items)) == list(items.values())
        assert cache.counters.breaker == "closed"


# Values that are not what was written


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=64), st.data())
def test_a_frame_shows_any_changed_byte_and_any_other_key(key: bytes, value: bytes, data: st.DataObject) -> None:
    frame = framed(key, value)
    assert unframed(key, frame) == value
    at = data.draw(st.integers(0, len(frame) - 1))
    assert unframed(key, frame[:at] + bytes([frame[at] ^ data.draw(st.integers(1, 255))]) + frame[at + 1 :]) is None
    at = data.draw(st.integers(0, 15))
    assert unframed(key[:at] + bytes([key[at] ^ 1]) + key[at + 1 :], frame) is None


@in_a_loop
async def test_corrupt_values_are_misses(valkey: Valkey) -> None:
    keys = list(batch(5, 5))
    good = framed(keys[4], keys[4] * 6)
    valkey.client.mset({KEY_PREFIX + keys[0]: b"", KEY_PREFIX + keys[1]: b"abc", KEY_PREFIX + keys[2]: good})
    valkey.client.lpush(KEY_PREFIX + keys[3], b"a list")
    valkey.client.set(KEY_PREFIX + keys[4], good)
    async with opened(LARGE, valkey.url) as cache:
        assert await cache.get_many(keys) == [None, None, None, None, keys[4] * 6]
        assert cache.counters.corrupt == 3 and cache.counters.misses == 4 and cache.counters.breaker == "closed"


# Servers that are unwell


async def suffer(cache: ScoreCache, harm: Mapping[int, Callable[[], None]], *, batches: int = 200) -> list[float]:
    """Put and get batches with harm done before some; no answer may be wrong. Seconds of each."""
    seconds: list[float] = []
    for number in range(batches):
        harm.get(number, lambda: None)()
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
        assert cache.counters.hits_remote > 1000 and cache.counters.breaker != "closed"
        valkey.start()
        await until(lambda: cache.counters.breaker == "closed")
        await suffer(cache, {})
        await until(lambda: cache.counters.writes > 4800)


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
        hits = cache.counters.hits_remote
        await suffer(cache, {}, batches=40)
        assert cache.counters.hits_remote > hits and cache.counters.corrupt == 0


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
            for _ in range(10):
                cache.hurry()
                seconds = await suffer(cache, {}, batches=20)
                assert max(seconds) < LONGEST + SLACK
        finally:
            done.set()
            thread.join()
        assert cache.counters.errors > 0 and cache.counters.corrupt == 0


@in_a_loop
async def test_two_hundred_callers_of_a_hung_server_wait_once(valkey: Valkey) -> None:
    async with opened(NOTHING, valkey.url) as cache:
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
                assert (cache.counters.breaker == "closed") == reads and cache.counters.writes == 0
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
            assert await cache.get_many(list(batch(0))) == list(batch(0).values())
    finally:
        server.stop()


@pytest.mark.parametrize("url", ["", "http://u:secret@h", "redis://:secret/x@host:6379", "redis://h:secret"])
def test_a_url_that_is_none_is_refused_without_being_told(url: str) -> None:
    with pytest.raises(ValueError, match="not a redis://|write them as %23, %2F and %3F") as raised:
        connection_factory(url)
    assert "secret" not in str(raised.value)


def test_an_option_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match="option"):
        connection_factory("redis://:secret@h?colour=red")


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
