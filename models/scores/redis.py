"""Scores in a Redis server that may be away, hung, slow or wrong at any time."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice

from models.scores.breaker import Breaker, describe
from models.scores.connection import RedisLink
from models.scores.counters import Counters

log = logging.getLogger(__name__)

KEY_PREFIX = b"chainwright:1:"
"""Before every key. The number is the version of the layout: raise it when frames change."""

MAX_READ_SECONDS = 0.050
"""Longest exchange that a caller waits for."""

MAX_WRITE_SECONDS = 0.5
"""Longest write in the background."""

MAX_FLUSH_SECONDS = 1.0
"""Longest wait of closing for writes."""

MAX_PENDING_BYTES = 8 << 20
"""Bytes of keys and values that may wait to be written; more are dropped."""

MAX_WRITE_BYTES = 1 << 20
"""Bytes of one write: a server that stores 1 MiB answers others within milliseconds."""

RETRY_PAUSES = (1.0, 10.0)
"""Seconds from a failed write to the next try: the first, and the longest that doubling comes to."""


def framed(key: bytes, value: bytes) -> bytes:
    """A value as it is stored: with four bytes of CRC-32 over key and value behind it."""
    return value + zlib.crc32(value, zlib.crc32(key)).to_bytes(4, "little")


def unframed(key: bytes, frame: bytes) -> bytes | None:
    """The value, or None if the frame is not what :func:`framed` made for this key."""
    value = frame[:-4]
    return value if len(frame) >= 4 and framed(key, value) == frame else None


class _Round:
    """Keys of one MGET, and its answers for all their callers."""

    def __init__(self) -> None:
        self.keys: dict[bytes, None] = {}
        self.answers: asyncio.Future[dict[bytes, bytes]] = asyncio.get_running_loop().create_future()


class Reader:
    """Gets values; answers with none, and soon, when the server does not.

    While an MGET is under way, the keys of other callers gather for the next: a caller waits for
    two exchanges at most, so less than 2 * MAX_READ_SECONDS, and no caller waits for an open breaker.
    """

    def __init__(self, url: str, counters: Counters) -> None:
        self._link = RedisLink(url)
        self._counters = counters
        self._gathering: _Round | None = None
        self._running: asyncio.Task[None] | None = None
        self.breaker = Breaker("the score cache's Redis", self._probe)

    async def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values found, by key. Never raises for what the server does."""
        if not self.breaker.closed:
            return {}
        if self._gathering is None:
            self._gathering = _Round()
        gathering = self._gathering
        gathering.keys.update(dict.fromkeys(keys))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return await asyncio.shield(gathering.answers)

    async def close(self) -> None:
        """End; who still waits gets nothing."""
        await self.breaker.close()
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
        if self._gathering is not None:
            self._gathering.answers.set_result({})
        await self._link.close()

    async def _run(self) -> None:
        while self._gathering is not None:
            current, self._gathering = self._gathering, None
            answers: dict[bytes, bytes] = {}
            try:
                if self.breaker.closed:
                    answers = await self._ask(list(current.keys))
            finally:
                current.answers.set_result(answers)

    async def _ask(self, keys: list[bytes]) -> dict[bytes, bytes]:
        try:
            found, delay = await self._exchange(keys)
        except Exception as error:  # whatever a broken server makes its client raise
            self._counters.errors += 1
            self.breaker.trip(describe(error))
            return {}
        if delay:
            self.breaker.slow(delay)
        return found

    async def _exchange(self, keys: list[bytes]) -> tuple[dict[bytes, bytes], float]:
        reply = await self._link.call(b"MGET", *(KEY_PREFIX + key for key in keys), within=MAX_READ_SECONDS)
        frames = reply.value
        if not isinstance(frames, list) or len(frames) != len(keys):
            raise ValueError("the answer to MGET is not a list of as many values")
        if not all(frame is None or isinstance(frame, bytes) for frame in frames):
            raise ValueError("the answer to MGET holds other things than values")
        found: dict[bytes, bytes] = {}
        for key, frame in zip(keys, frames, strict=True):
            if frame is None:
                continue
            value = unframed(key, frame)
            if value is None:
                self._counters.corrupt += 1
            else:
                found[key] = value
        return found, reply.delay

    async def _probe(self) -> None:
        """Read as callers do. The first exchange connects; the second must be prompt."""
        await self._exchange([b"probe"])
        _, delay = await self._exchange([b"probe"])
        if delay:
            raise TimeoutError(f"answered after {delay * 1000:.0f} ms")


@dataclass(eq=False)
class Writer:
    """Writes values in the background, in the order given, many in one MSET.

    A failed write is tried again after a pause; meanwhile values gather up to a bound.

    Attributes:
        url: see :class:`RedisLink`.
        counters: where to count.
    """

    url: str
    counters: Counters
    _pending: dict[bytes, bytes] = field(default_factory=dict)
    _bytes: int = 0
    _wake: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: bool = False
    _failing: bool = False

    def __post_init__(self) -> None:
        self._link = RedisLink(self.url)
        self._task = asyncio.create_task(self._run())

    def put(self, items: Mapping[bytes, bytes]) -> None:
        """Have values written soon; returns at once."""
        for key, value in items.items():
            size = len(KEY_PREFIX) + len(key) + len(value) + 4
            if key in self._pending:
                continue
            if self._closing or self._bytes + size > MAX_PENDING_BYTES:
                self.counters.dropped_writes += 1
                continue
            self._pending[key] = framed(key, value)
            self._bytes += size
        self._wake.set()

    async def close(self) -> None:
        """Write what waits, for a second at most, and not if the last write failed."""
        self._closing = True
        self._wake.set()
        if not self._failing:
            await asyncio.wait({self._task}, timeout=MAX_FLUSH_SECONDS)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.counters.dropped_writes += len(self._pending)
        self._pending.clear()
        await self._link.close()

    async def _run(self) -> None:
        pause = RETRY_PAUSES[0]
        while self._pending or not self._closing:
            if not self._pending:
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = self._next()
            try:
                frames = chain.from_iterable((KEY_PREFIX + key, frame) for key, frame in batch.items())
                reply = await self._link.call(b"MSET", *frames, within=MAX_WRITE_SECONDS)
                if reply.value != b"OK":
                    raise ValueError("the answer to MSET is not OK")
            except Exception as error:  # whatever a broken server makes its client raise
                self.counters.errors += 1
                if not self._failing:
                    log.warning("scores are not written to Redis for now: %s", describe(error))
                self._failing = True
                if self._closing:
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, RETRY_PAUSES[1])
                continue
            pause, self._failing = RETRY_PAUSES[0], False
            self.counters.writes += len(batch)
            for key in batch:
                self._bytes -= len(KEY_PREFIX) + len(key) + len(self._pending.pop(key))

    def _next(self) -> dict[bytes, bytes]:
        """The oldest values that wait, as many as go into one write, one at least."""
        batch: dict[bytes, bytes] = {}
        size = 0
        for key, frame in islice(self._pending.items(), 10_000):
            size += len(frame)
            if batch and size > MAX_WRITE_BYTES:
                break
            batch[key] = frame
        return batch
