"""Maintenance of open jobs: they expire, they end, and lost chunks are put into the queue again."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field

import structlog

from app.jobs.store.connection import AWAY
from app.jobs.store.dockets import JobQueue
from app.jobs.store.record import Record
from app.jobs.store.store import JobStore

log = structlog.get_logger()

ROUND_SECONDS = 1.0
"""Time between rounds through the jobs that have not ended."""

ELECTION_SECONDS = 2.5
"""Silence of the elected process after which another maintains them."""

UNQUEUED_SECONDS = 5.0
"""Age of a job without chunks in the queue after which the service that accepted it must have ended."""

STRANDED_SECONDS = 5.0
"""Time for which the queue must be empty before the rest of an open job is put into it again."""


@dataclass(eq=False)
class Maintenance:
    """Maintenance by one process; of any number that run it, one is elected.

    Attributes:
        stranded: time.monotonic since when nothing of a job has been in the queue or under way.
        broken: jobs whose maintenance fails.
    """

    store: JobStore
    queue: JobQueue
    stranded: dict[str, float] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    async def run(self) -> None:
        """Maintain open jobs for ever."""
        name = os.urandom(6).hex()
        while True:
            await asyncio.sleep(ROUND_SECONDS)
            try:
                elected = await self.store.lead(name, ELECTION_SECONDS)
                ids = await self.store.open_ids() if elected else []
                self.stranded = {job_id: since for job_id, since in self.stranded.items() if job_id in ids}
                self.broken.intersection_update(ids)
                for job_id in ids:
                    await self._maintain(job_id)
            except AWAY as error:
                log.debug("the queue's server does not answer", reason=str(error))
            except Exception as error:
                log.error("maintenance of jobs failed", exc_info=error)

    async def _maintain(self, job_id: str) -> None:
        try:
            await self.store.settle(job_id)
            record = await self.store.record(job_id)
            if record is not None and record.status in ("validating", "in_progress"):
                await self._requeue(record)
            self.broken.discard(job_id)
        except AWAY:
            raise
        except Exception as error:
            # The others need not suffer for a damaged record.
            if job_id not in self.broken:
                log.error("maintenance of a job failed; passing it over until it works", job=job_id, exc_info=error)
                self.broken.add(job_id)

    async def _requeue(self, record: Record) -> None:
        if not record.queued:
            if record.now - record.created_at > UNQUEUED_SECONDS:
                await enqueue(record, self.store, self.queue)
            return
        if await self.store.is_running(record.id) or not await self.queue.idle(record.priority):
            self.stranded.pop(record.id, None)
            return
        if time.monotonic() - self.stranded.setdefault(record.id, time.monotonic()) < STRANDED_SECONDS:
            return
        del self.stranded[record.id]
        log.warning("a job's chunks were lost from the queue; putting them into it again", job=record.id)
        await self.queue.put(record.id, record.priority, record.chunks, os.urandom(6).hex())


async def enqueue(record: Record, store: JobStore, queue: JobQueue) -> None:
    """Put the chunks of a new job into the queue; idempotent."""
    await queue.put(record.id, record.priority, record.chunks, "0")
    await store.mark_queued(record.id)
