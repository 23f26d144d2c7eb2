"""Scores by key: in this process's memory, and behind it in a Redis server.

The value of a key never changes, so neither level is ever invalidated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from cachetools import LRUCache

from models.scores.counters import Counters
from models.scores.redis import Reader, Writer

ENTRY_BYTES = 324
"""Memory that an entry takes besides its value: two bytes objects, a 16-byte key, an integer and the slots
of three dictionaries (tracemalloc over 50,000 entries, CPython 3.11, cachetools 8.0)."""


class ScoreCache:
    """Two levels of memory for scores. Use it within one event loop.

    Nothing that Redis does makes a method raise. :meth:`get_many` waits for Redis less than
    100 ms, and not at all while its breaker is open; :meth:`put_many` never waits.

    Args:
        memory: bytes that the values in this process may take; those unused the longest go.
        url: redis://, rediss:// or unix:// of the server; None for this process's memory alone.

    Raises:
        ValueError: the URL is none of these.
    """

    def __init__(self, memory: int, url: str | None = None) -> None:
        self._local: LRUCache[bytes, bytes] = LRUCache(memory, getsizeof=_entry_bytes)
        self._counters = Counters()
        self._reader = None if url is None else Reader(url, self._counters)
        self._writer = None if url is None else Writer(url, self._counters)

    @classmethod
    async def open(cls, memory: int, url: str | None = None) -> ScoreCache:
        """A cache that has tried its server once, so that no request finds it away."""
        cache = cls(memory, url)
        if cache._reader is not None:
            await cache._reader.breaker.start()
        return cache

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """The value of each key, or None; one MGET for all that are not in memory.

        Some thousand keys at a time: those that Redis cannot answer within 50 ms count as missing.
        """
        found: dict[bytes, bytes | None] = {key: self._local.get(key) for key in keys}
        missing = [key for key, value in found.items() if value is None]
        answers = await self._reader.get(missing) if missing and self._reader is not None else {}
        remote = {key: answers[key] for key in missing if key in answers}
        self._remember(remote)
        found |= remote
        for key in keys:
            if key in remote:
                self._counters.hits_remote += 1
            elif found[key] is None:
                self._counters.misses += 1
            else:
                self._counters.hits_local += 1
        return [found[key] for key in keys]

    def put_many(self, items: Mapping[bytes, bytes]) -> None:
        """Keep values; they reach Redis in the background, in one write."""
        self._remember(items)
        if self._writer is not None and items:
            self._writer.put(items)

    def _remember(self, items: Mapping[bytes, bytes]) -> None:
        """Keep values in memory, but those that exceed its bound alone."""
        self._local.update((key, value) for key, value in items.items() if _entry_bytes(value) <= self._local.maxsize)

    def hurry(self) -> None:
        """Try Redis now if it was away: there is reason to think that it has come up."""
        if self._reader is not None:
            self._reader.breaker.hurry()

    @property
    def counters(self) -> Counters:
        """A copy of the counters."""
        return replace(
            self._counters,
            breaker="off" if self._reader is None else self._reader.breaker.state,
            entries=len(self._local),
            bytes_held=int(self._local.currsize),
        )

    async def close(self) -> None:
        """Write waiting values, within a second or so, and close the connections."""
        if self._writer is not None:
            await self._writer.close()
        if self._reader is not None:
            await self._reader.close()


def _entry_bytes(value: bytes) -> int:
    return len(value) + ENTRY_BYTES
