"""What is due of jobs without anyone asking: they expire, they end, and lost chunks are put into the queue again."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Collection
from dataclasses import dataclass, field

import structlog

from app.jobs.store.connection import AWAY
from app.jobs.store.dockets import JobQueue
from app.jobs.store.record import Record
from app.jobs.store.store import JobStore
from app.jobs.work.aligned_timer import to_tick

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between looks at the jobs that have not ended."""

SILENCE = 2.5
"""Seconds after which another process looks after them."""

UNQUEUED = 5.0
"""Seconds after which a job without chunks in the queue was left so by a service that ended."""

STRANDED = 5.0
"""Seconds for which the queue must be empty before the rest of an open job is put into it again."""


@dataclass(eq=False)
class Watch:
    """What a keeper remembers of open jobs from look to look.

    Attributes:
        stranded: since when nothing of them was in the queue or under way, by time.monotonic.
        broken: those that it could not look after.
    """

    stranded: dict[str, float] = field(default_factory=dict)
    broken: set[str] = field(default_factory=set)

    def forget_all_but(self, ids: Collection[str]) -> None:
        """The others have ended."""
        self.stranded = {job_id: since for job_id, since in self.stranded.items() if job_id in ids}
        self.broken.intersection_update(ids)


async def keep(store: JobStore, queue: JobQueue) -> None:
    """Look after open jobs for ever; of any number of processes one does."""
    name, watch = os.urandom(6).hex(), Watch()
    while True:
        await asyncio.sleep(to_tick(LOOK_EVERY))
        try:
            if not await store.lead(name, SILENCE):
                watch = Watch()
                continue
            ids = await store.open_ids()
            watch.forget_all_but(ids)
            for job_id in ids:
                await _look_after(job_id, store, queue, watch)
        except AWAY as error:
            log.debug("the queue's server does not answer", reason=str(error))
        except Exception as error:
            log.error("looking after jobs failed", exc_info=error)


async def _look_after(job_id: str, store: JobStore, queue: JobQueue, watch: Watch) -> None:
    try:
        await store.settle(job_id)
        record = await store.record(job_id)
        if record is not None and record.status in ("validating", "in_progress"):
            await _requeue(record, store, queue, watch.stranded)
        watch.broken.discard(job_id)
    except AWAY:
        raise
    except Exception as error:
        # The others need not suffer for one whose record somebody spoilt.
        if job_id not in watch.broken:
            log.error("looking after a job failed; passing it over until it works", job=job_id, exc_info=error)
            watch.broken.add(job_id)


async def put(record: Record, store: JobStore, queue: JobQueue) -> None:
    """Put the chunks of a new job into the queue; again, it changes nothing."""
    await queue.put(record.id, record.priority, record.chunks, "0")
    await store.queued(record.id)


async def _requeue(record: Record, store: JobStore, queue: JobQueue, stranded: dict[str, float]) -> None:
    if not record.queued:
        if record.now - record.times["created_at"] > UNQUEUED:
            await put(record, store, queue)
        return
    if await store.is_running(record.id) or not await queue.idle(record.priority):
        stranded.pop(record.id, None)
        return
    if time.monotonic() - stranded.setdefault(record.id, time.monotonic()) < STRANDED:
        return
    del stranded[record.id]
    log.warning("a job's chunks were lost from the queue; putting them into it again", job=record.id)
    await queue.put(record.id, record.priority, record.chunks, os.urandom(6).hex())
