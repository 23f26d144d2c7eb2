"""One look a second for all chunks of a worker: it tells that they go on, and hears whether they should."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from redis.exceptions import RedisError

from app.jobs.store.connection import AWAY
from app.jobs.store.store import JobStore
from app.jobs.work.aligned_timer import to_tick

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between looks."""


@dataclass(eq=False)
class Heartbeat:
    """Knows which chunks of which jobs are under way.

    Attributes:
        store: where jobs are kept.
    """

    store: JobStore
    _chunks: dict[str, dict[asyncio.Event, str]] = field(default_factory=dict)

    @contextmanager
    def over(self, job_id: str, chunk: str) -> Iterator[asyncio.Event]:
        """Holds while a chunk is under way; what it yields is set once its job wants no more results."""
        unwanted = asyncio.Event()
        self._chunks.setdefault(job_id, {})[unwanted] = chunk
        try:
            yield unwanted
        finally:
            del self._chunks[job_id][unwanted]
            if not self._chunks[job_id]:
                del self._chunks[job_id]

    async def keep(self) -> None:
        """Look for ever."""
        while True:
            await asyncio.sleep(to_tick(LOOK_EVERY))
            await asyncio.gather(*(self._look(job_id, dict(chunks)) for job_id, chunks in self._chunks.items()))

    async def _look(self, job_id: str, chunks: Mapping[asyncio.Event, str]) -> None:
        try:
            status = await self.store.beat(job_id, list(chunks.values()))
        except AWAY:
            return
        except RedisError as error:
            log.error("looking after a job failed", job=job_id, exc_info=error)
            return
        if status != "in_progress":
            for unwanted in chunks:
                unwanted.set()
