"""The queue of jobs as a scrape of the metrics finds it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.jobs.jobs import Jobs
from app.jobs.schemas import Priority
from app.jobs.store.connection import AWAY, TIMEOUT
from app.jobs.store.dockets import PRIORITIES
from app.jobs.store.workers import workers


@dataclass(frozen=True, slots=True)
class QueueState:
    """What the queue's server told.

    Attributes:
        up: whether it answered; if not, nothing else is known.
        chunks: in the queue by priority, those under way included.
        jobs: that have not ended.
        workers: with a recent heartbeat.
    """

    up: bool
    chunks: Sequence[tuple[Priority, int]] = ()
    jobs: int | None = None
    workers: int | None = None


async def queue_state(jobs: Jobs) -> QueueState:
    """The state at this moment, within :data:`app.jobs.store.connection.TIMEOUT` seconds."""
    try:
        async with asyncio.timeout(TIMEOUT):
            return QueueState(
                up=True,
                chunks=[(priority, await jobs.queue.length(priority)) for priority in PRIORITIES],
                jobs=len(await jobs.store.open_ids()),
                workers=len(await workers(jobs.store.redis)),
            )
    except AWAY:
        return QueueState(up=False)
