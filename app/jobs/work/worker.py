"""Worker: chunks of all priorities, run by this process's engine."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Literal

import structlog
from redis.exceptions import RedisError

from app.engine.admission import Admission
from app.engine.engine import Engine
from app.jobs.jobs import Jobs
from app.jobs.schemas import Worker
from app.jobs.store import workers
from app.jobs.store.connection import AWAY
from app.jobs.work.chunk import WorkerContext
from app.jobs.work.docket_consumer import DocketConsumer
from app.jobs.work.heartbeat import Heartbeat
from app.jobs.work.read_write_lock import ReadWriteLock
from app.jobs.work.retry import pause

log = structlog.get_logger()

HEARTBEAT_SECONDS = 2.0
"""Time between heartbeats of the worker."""

OUTAGE_SECONDS = 8.0
"""Silence of the queue's server after which connections from before are not trusted."""

STOP_SECONDS = 6.0
"""Time to hand chunks back; what was not handed back goes to others when its lease ends."""


@dataclass(eq=False)
class JobWorker:
    """Worker of the queue, as long as it is open.

    Attributes:
        engine: runs items with an admission of its own: jobs take no turns from requests.
        items: run side by side, of each priority.
        lease: seconds of silence after which its chunks go to others.
    """

    jobs: Jobs
    engine: Engine
    items: int
    lease: float
    name: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}")
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    started_at: float = field(default_factory=time.time)
    _consumers: list[DocketConsumer] = field(default_factory=list)

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work; at the end, hand back at once what is under way."""
        queue, heartbeat, lock = self.jobs.queue, Heartbeat(self.jobs.store), ReadWriteLock()
        for priority in queue.dockets:
            context = WorkerContext(
                name=self.name,
                engine=replace(self.engine, admission=Admission(self.items, 1 << 30)),
                store=self.jobs.store,
                heartbeat=heartbeat,
                lock=lock,
                begun=asyncio.Semaphore(self.items + 1),
                draining=self.draining,
            )
            self._consumers.append(DocketConsumer(context, queue, priority, self.items, self.lease))
        beating = asyncio.create_task(heartbeat.run())
        tasks = [asyncio.create_task(self._beat()), *(asyncio.create_task(each.consume()) for each in self._consumers)]
        log.info("worker started", worker=self.name, items=self.items)
        try:
            yield
        finally:
            await self._end(tasks)
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)

    def report(self) -> Worker:
        """State of the worker."""
        model = self.engine.model
        state: Literal["working", "draining"] = "draining" if self.draining.is_set() else "working"
        contexts = [consumer.context for consumer in self._consumers]
        return Worker(
            name=self.name,
            host=socket.gethostname(),
            pid=os.getpid(),
            state=state,
            model=model.name,
            fingerprint=model.fingerprint,
            device=model.device,
            started_at=self.started_at,
            seen_at=time.time(),
            items_running=sum(context.engine.admission.running for context in contexts),
            items_done=sum(context.items_done for context in contexts),
            chunks_running=sum(consumer.chunks_running for consumer in self._consumers),
        )

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        self.draining.set()
        _, pending = await asyncio.wait(tasks, timeout=STOP_SECONDS)
        for task in pending:
            task.cancel()
        await asyncio.wait(tasks, timeout=1.0)
        with suppress(RedisError, OSError):
            await workers.remove(self.jobs.store.redis, self.name)
        log.info("worker ended", worker=self.name, items_done=self.report().items_done)

    async def _beat(self) -> None:
        redis = self.jobs.store.redis
        answered_at = time.monotonic()
        while not self.draining.is_set():
            try:
                await workers.heartbeat(redis, self.report())
                if time.monotonic() - answered_at > OUTAGE_SECONDS:
                    for consumer in self._consumers:
                        consumer.reconnect.set()
                answered_at = time.monotonic()
            except AWAY as error:
                log.debug("the queue's server does not answer", reason=str(error))
            except RedisError as error:
                log.error("the worker's heartbeat failed", exc_info=error)
            await pause(self.draining, HEARTBEAT_SECONDS)
        with suppress(*AWAY):
            await workers.heartbeat(redis, self.report())
