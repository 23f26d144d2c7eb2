"""All that the service and the workers need of the queue, opened together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import structlog

from app.embedded.queue_server import QueueServer
from app.embedded.server import EmbeddedServerError
from app.jobs.store import dockets as queues
from app.jobs.store.connection import connected, warn_of_loss
from app.jobs.store.dockets import JobQueue
from app.jobs.store.store import JobStore
from app.jobs.work.maintenance import keep
from app.settings.settings import Settings

log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Jobs:
    """The queue.

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
    """The queue of the settings; None if they want none, or if its embedded server cannot be started."""
    async with AsyncExitStack() as stack:
        url = queue_url(settings)
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
        queue = await stack.enter_async_context(queues.opened(url))
        jobs = Jobs(JobStore(client, settings.job_retention_seconds), queue, settings)
        if queue_url(settings) is not None:
            await warn_of_loss(client)
        keeper = asyncio.create_task(keep(jobs.store, jobs.queue))
        try:
            yield jobs
        finally:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)


def queue_url(settings: Settings) -> str | None:
    """The queue's server: its own setting, else that of scores; None for one that is started, "off" for none."""
    if settings.queue_url is not None:
        return settings.queue_url.get_secret_value()
    url = settings.redis_url.get_secret_value() if settings.redis_url is not None else "off"
    return None if url == "off" else url
