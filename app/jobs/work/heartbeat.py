"""Heartbeat of a worker's chunks: it keeps them alive, and learns which jobs take no more results."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog
from redis.exceptions import RedisError

from app.jobs.store.connection import AWAY
from app.jobs.store.store import JobStore

log = structlog.get_logger()

HEARTBEAT_SECONDS = 1.0
"""Time between heartbeats."""


@dataclass(eq=False)
class Heartbeat:
    """Heartbeat of the chunks under way, one for all of them."""

    store: JobStore
    _chunks: dict[str, dict[asyncio.Event, str]] = field(default_factory=dict)

    @contextmanager
    def during(self, job_id: str, chunk: str) -> Iterator[asyncio.Event]:
        """Keep a chunk alive; yields an event that is set once its job takes no more results."""
        unwanted = asyncio.Event()
        self._chunks.setdefault(job_id, {})[unwanted] = chunk
        try:
            yield unwanted
        finally:
            del self._chunks[job_id][unwanted]
            if not self._chunks[job_id]:
                del self._chunks[job_id]

    async def run(self) -> None:
        """Beat for ever."""
        while True:
            await asyncio.sleep(HEARTBEAT_SECONDS)
            await asyncio.gather(*(self._beat(job_id, dict(chunks)) for job_id, chunks in self._chunks.items()))

    async def _beat(self, job_id: str, chunks: Mapping[asyncio.Event, str]) -> None:
        try:
            status = await self.store.chunk_heartbeat(job_id, list(chunks.values()))
        except AWAY:
            return
        except RedisError as error:
            log.error("the heartbeat of a job's chunks failed", job=job_id, exc_info=error)
            return
        if status != "in_progress":
            for unwanted in chunks:
                unwanted.set()
