"""Scores by key: in this process's memory, and behind it in a Redis server.

What is stored under a key never changes, so neither level is ever invalidated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from models.scores.breaker import State
from models.scores.memory import ByteLRU
from models.scores.redis import Reader, Tally, Writer


@dataclass(frozen=True, slots=True)
class Counters:
    """What a store has done since it was opened.

    Attributes:
        hits_local: keys found in memory.
        hits_remote: keys found in Redis.
        misses: keys found nowhere.
        writes: values that Redis stored.
        dropped_writes: values that it did not, because too many waited or the store was closed.
        errors: reads and writes that failed; not the probes of an open breaker.
        corrupt: values from Redis that were not what had been written, and count as misses.
        breaker: whether Redis is asked (closed) or not (open; half-open while it is probed); off
            without Redis.
        entries: values in memory.
        bytes_held: what they take, in bytes.
    """

    hits_local: int
    hits_remote: int
    misses: int
    writes: int
    dropped_writes: int
    errors: int
    corrupt: int
    breaker: State | Literal["off"]
    entries: int
    bytes_held: int


class ScoreCache:
    """Two levels of memory for scores. Use it within one event loop.

    Nothing that Redis does makes a method raise. :meth:`get_many` waits for Redis less than
    100 ms, and not at all while its breaker is open; :meth:`put_many` never waits.

    Args:
        memory: bytes that the values in this process may take.
        url: redis://, rediss:// or unix:// of the server; None for this process's memory alone.

    Raises:
        ValueError: the URL is none of these.
    """

    def __init__(self, memory: int, url: str | None = None) -> None:
        self._local = ByteLRU(memory)
        self._tally = Tally()
        self._reader = None if url is None else Reader(url, self._tally)
        self._writer = None if url is None else Writer(url, self._tally)
        self._hits_local = self._hits_remote = self._misses = 0

    @classmethod
    async def open(cls, memory: int, url: str | None = None) -> ScoreCache:
        """A store that has tried its server once, so that no request finds it away."""
        store = cls(memory, url)
        if store._reader is not None:
            await store._reader.breaker.start()
        return store

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The value of each key, or None; one MGET for all that are not in memory.

        Some thousand keys at a time: what Redis cannot answer within 50 ms counts as missing.
        """
        found: dict[bytes, bytes | None] = {key: self._local.get(key) for key in keys}
        missing = [key for key, value in found.items() if value is None]
        self._hits_local += sum(found[key] is not None for key in keys)
        if not missing:
            return [found[key] for key in keys]
        lacking = set(missing)
        if self._reader is not None:
            for key, value in (await self._reader.get(missing)).items():
                if key in lacking:
                    found[key] = value
                    self._local.put(key, value)
        for key in keys:
            if key in lacking:
                if found[key] is None:
                    self._misses += 1
                else:
                    self._hits_remote += 1
        return [found[key] for key in keys]

    def put_many(self, items: Mapping[bytes, bytes]) -> None:
        """Keep values; they reach Redis in the background, in one write."""
        for key, value in items.items():
            self._local.put(key, value)
        if self._writer is not None and items:
            self._writer.put(items)

    def hurry(self) -> None:
        """Try Redis now if it was away: there is reason to think that it has come up."""
        if self._reader is not None:
            self._reader.breaker.hurry()

    @property
    def counters(self) -> Counters:
        """What has happened so far."""
        return Counters(
            hits_local=self._hits_local,
            hits_remote=self._hits_remote,
            misses=self._misses,
            writes=self._tally.writes,
            dropped_writes=self._tally.dropped,
            errors=self._tally.errors,
            corrupt=self._tally.corrupt,
            breaker="off" if self._reader is None else self._reader.breaker.state,
            entries=len(self._local),
            bytes_held=self._local.held,
        )

    async def close(self) -> None:
        """Write what waits, within a second or so, and close the connections."""
        if self._writer is not None:
            await self._writer.close()
        if self._reader is not None:
            await self._reader.close()
