"""Queue of jobs, opened with its server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from app.embedded.queue_server import QueueServer
from app.embedded.server import EmbeddedServerError
from app.jobs.store.connection import connected, warn_of_loss
from app.jobs.store.dockets import JobQueue, open_queue
from app.jobs.store.store import JobStore
from app.jobs.work.maintenance import Maintenance
from app.settings.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Jobs:
    """Queue of jobs.

    Attributes:
        store: jobs, items, results.
        queue: chunks on their way to workers.
        settings: defaults and bounds.
    """

    store: JobStore
    queue: JobQueue
    settings: Settings


@asynccontextmanager
async def open_jobs(settings: Settings) -> AsyncIterator[Jobs | None]:
    """Queue of the settings; None if they want none, or if its embedded server cannot be started."""
    async with AsyncExitStack() as stack:
        url = queue_url(settings)
        embedded = url is None
        if url is None:
            try:
                server = QueueServer(settings.state_dir / "queue", settings.queue_memory)
                await server.start()
            except EmbeddedServerError as error:
                log.error("there are no jobs: the queue has no server", reason=str(error))
                yield None
                return
            stack.push_async_callback(server.stop)
            url = server.url
        if url == "off":
            yield None
            return
        client = await stack.enter_async_context(connected(url))
        queue = await stack.enter_async_context(open_queue(url))
        jobs = Jobs(JobStore(client, settings.job_retention_seconds), queue, settings)
        if not embedded:
            await warn_of_loss(client)
        maintenance = asyncio.create_task(Maintenance(jobs.store, jobs.queue).run())
        try:
            yield jobs
        finally:
            maintenance.cancel()
            await asyncio.gather(maintenance, return_exceptions=True)


def queue_url(settings: Settings) -> str | None:
    """Address of the queue's server: its own setting, else that of scores; None for an embedded one, "off" for none."""
    if settings.queue_url is not None:
        return settings.queue_url.get_secret_value()
    url = settings.redis_url.get_secret_value() if settings.redis_url is not None else "off"
    return None if url == "off" else url
