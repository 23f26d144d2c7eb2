"""What is due of jobs without anyone asking: they expire, they end, and lost chunks are put into the queue again."""

from __future__ import annotations

import asyncio
import os
import time

import structlog
from redis.exceptions import RedisError

from app.jobs.link import AWAY
from app.jobs.queue import JobQueue
from app.jobs.record import Record
from app.jobs.store import JobStore
from app.jobs.ticks import to_tick

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between looks at the jobs that have not ended."""

SILENCE = 2.5
"""Seconds after which another process looks after them."""

UNQUEUED = 5.0
"""Seconds after which a job without chunks in the queue was left so by a service that ended."""

STRANDED = 5.0
"""Seconds for which the queue must be empty before the rest of an open job is put into it again."""


async def keep(store: JobStore, queue: JobQueue) -> None:
    """Look after open jobs for ever; of any number of processes one does."""
    name, stranded = os.urandom(6).hex(), dict[str, float]()
    while True:
        await asyncio.sleep(to_tick(LOOK_EVERY))
        try:
            if not await store.lead(name, SILENCE):
                stranded = {}
                continue
            ids = await store.open_ids()
            stranded = {job_id: since for job_id, since in stranded.items() if job_id in ids}
            for job_id in ids:
                await store.settle(job_id)
                record = await store.record(job_id)
                if record is not None and record.status in ("validating", "in_progress"):
                    await _requeue(record, store, queue, stranded)
        except AWAY as error:
            log.debug("the queue's server does not answer", reason=str(error))
        except RedisError as error:
            log.error("looking after jobs failed", exc_info=error)


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
