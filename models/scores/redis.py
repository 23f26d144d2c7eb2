"""Scores in a Redis server that may be away, hung, slow or wrong at any time."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from models.scores.breaker import Breaker, told
from models.scores.connection import RedisLink

log = logging.getLogger(__name__)

PREFIX = b"chainwright:1:"
"""Before every key. The number is the version of the layout: raise it when frames change."""

READ_WITHIN = 0.050
"""Seconds that one exchange may take which a caller waits for."""

WRITE_WITHIN = 0.5
"""Seconds that a write in the background may take."""

FLUSH_WITHIN = 1.0
"""Seconds that closing waits for writes."""

MOST_PENDING = 8 << 20
"""Bytes of keys and values that may wait to be written; more are dropped."""

MOST_AT_ONCE = 1 << 20
"""Bytes of one write: a server that stores 1 MiB answers others within milliseconds."""

WRITE_PAUSES = (1.0, 10.0)
"""Seconds from a failed write to the next try: the first, and what doubling ends at."""


@dataclass(slots=True)
class Tally:
    """What has happened since the start.

    Attributes:
        writes: values that the server stored.
        dropped: values not stored, because too many waited or the store was closed.
        errors: exchanges that failed, in reading or writing.
        corrupt: values that were not what had been written.
    """

    writes: int = 0
    dropped: int = 0
    errors: int = 0
    corrupt: int = 0


def framed(key: bytes, value: bytes) -> bytes:
    """A value as it is stored: with four bytes of CRC-32 over key and value behind it."""
    return value + zlib.crc32(value, zlib.crc32(key)).to_bytes(4, "little")


def unframed(key: bytes, frame: bytes) -> bytes | None:
    """The value, or None if the frame is not what :func:`framed` made for this key."""
    value = frame[:-4]
    return value if len(frame) >= 4 and framed(key, value) == frame else None


class _Round:
    """Keys that go into one MGET, and who waits for them."""

    def __init__(self) -> None:
        self.keys: dict[bytes, None] = {}
        self.answers: asyncio.Future[dict[bytes, bytes]] = asyncio.get_running_loop().create_future()


class Reader:
    """Gets values; answers with none, and soon, when the server does not.

    While an MGET is under way, the keys of other callers gather for the next: a caller waits for
    two exchanges at most, so less than 2 * READ_WITHIN, and no caller waits for an open breaker.
    """

    def __init__(self, url: str, tally: Tally) -> None:
        self._link = RedisLink(url)
        self._tally = tally
        self._gathering: _Round | None = None
        self._running: asyncio.Task[None] | None = None
        self.breaker = Breaker("the score store's Redis", self._probe)

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
            self._tally.errors += 1
            self.breaker.trip(told(error))
            return {}
        if delay:
            self.breaker.slow(delay)
        return found

    async def _exchange(self, keys: list[bytes]) -> tuple[dict[bytes, bytes], float]:
        reply = await self._link.call(b"MGET", *(PREFIX + key for key in keys), within=READ_WITHIN)
        frames = reply.value
        if not isinstance(frames, list) or len(frames) != len(keys):
            raise ValueError("the answer to MGET is not a list of as many values")
        if not all(frame is None or isinstance(frame, bytes) for frame in frames):
            raise ValueError("the answer to MGET holds what is no value")
        found: dict[bytes, bytes] = {}
        for key, frame in zip(keys, frames, strict=True):
            if frame is None:
                continue
            value = unframed(key, frame)
            if value is None:
                self._tally.corrupt += 1
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
        tally: where to count.
    """

    url: str
    tally: Tally
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
            size = len(PREFIX) + len(key) + len(value) + 4
            if key in self._pending:
                continue
            if self._closing or self._bytes + size > MOST_PENDING:
                self.tally.dropped += 1
                continue
            self._pending[key] = framed(key, value)
            self._bytes += size
        self._wake.set()

    async def close(self) -> None:
        """Write what waits, for a second at most, and not if the last write failed."""
        self._closing = True
        self._wake.set()
        if not self._failing:
            await asyncio.wait({self._task}, timeout=FLUSH_WITHIN)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self.tally.dropped += len(self._pending)
        self._pending.clear()
        await self._link.close()

    async def _run(self) -> None:
        pause = WRITE_PAUSES[0]
        while self._pending or not self._closing:
            if not self._pending:
                self._wake.clear()
                await self._wake.wait()
                continue
            batch = self._next()
            try:
                reply = await self._link.call(b"MSET", *_flat(batch), within=WRITE_WITHIN)
                if reply.value != b"OK":
                    raise ValueError("the answer to MSET is not OK")
            except Exception as error:  # whatever a broken server makes its client raise
                self.tally.errors += 1
                if not self._failing:
                    log.warning("scores are not written to Redis for now: %s", told(error))
                self._failing = True
                if self._closing:
                    return
                await asyncio.sleep(pause)
                pause = min(pause * 2, WRITE_PAUSES[1])
                continue
            pause, self._failing = WRITE_PAUSES[0], False
            self.tally.writes += len(batch)
            for key in batch:
                self._bytes -= len(PREFIX) + len(key) + len(self._pending.pop(key))

    def _next(self) -> dict[bytes, bytes]:
        """The oldest values that wait, as many as go into one write, one at least."""
        batch: dict[bytes, bytes] = {}
        size = 0
        for key, frame in islice(self._pending.items(), 10_000):
            size += len(frame)
            if batch and size > MOST_AT_ONCE:
                break
            batch[key] = frame
        return batch


def _flat(batch: Mapping[bytes, bytes]) -> Iterable[bytes]:
    for key, frame in batch.items():
        yield PREFIX + key
        yield frame
