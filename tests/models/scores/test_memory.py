"""The part of the score cache that is in memory."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from models.scores.cache import ENTRY_BYTES, ScoreCache
from tests.models.scores.caches import in_a_loop


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
