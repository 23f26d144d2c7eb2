"""Frames of values in Redis."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from models.scores.redis import KEY_PREFIX, framed, unframed
from tests.models.scores.caches import LARGE, batch, in_a_loop, opened
from tests.support.valkey import Valkey


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
