"""A worker: takes chunks from the queue, works them off with this process's engine, and tells that it lives."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Literal

import structlog
from redis.exceptions import RedisError

from app.engine.admission import Admission
from app.engine.engine import Engine
from app.jobs.jobs import Jobs
from app.jobs.schemas import Priority, Worker
from app.jobs.store.connection import AWAY
from app.jobs.store.store import JobStore
from app.jobs.store.workers import sign_off, sign_on
from app.jobs.work.aligned_timer import to_tick
from app.jobs.work.chunk import ChunkRun, StoppedError, pause
from app.jobs.work.heartbeat import Heartbeat
from app.jobs.work.processor_sharing import ProcessorSharing, Share
from app.jobs.work.read_write_lock import ReadWriteLock
from app.jobs.work.stream_consumer import Taker
from models.language.scoring.batcher import BACKGROUND, urgency

log = structlog.get_logger()

BEAT_EVERY = 2.0
"""Seconds between heartbeats."""

LOOK_WORKING = timedelta(milliseconds=100)
"""Between looks at whether a chunk has ended and another may be taken."""

LOOK_RESTING = timedelta(seconds=1)
"""That a read of a docket blocks while nothing of it is under way; what comes ends it at once."""

OUTAGE = 8.0
"""Seconds without a word from the queue's server after which connections from before are not trusted."""

LOOP_STOPS = 1.2
"""Seconds after which a docket's loop has surely seen that it shall stop."""

STOP_WITHIN = 6.0
"""Seconds that handing back may take; what was not handed back goes to others when its lease ends."""

URGENCY: dict[Priority, int] = {"interactive": 1, "bulk": BACKGROUND}
"""Behind requests over REST, which have 0; of a bulk job only the end of the whole counts."""


@dataclass(eq=False)
class JobWorker:
    """Works off chunks while it is open.

    One chunk of each priority more is under way than items run side by side: chunks of a single item fill the
    model's batches too, and where they have more, the next are there before the last items of one end.

    Attributes:
        jobs: the queue.
        engine: what runs items, with turns of its own: jobs take none from requests.
        items: run side by side, of each priority.
        lease: seconds of silence after which its chunks go to others.
        warm: kinds of items of which it has done one.
    """

    jobs: Jobs
    engine: Engine
    items: int
    lease: float
    name: str = field(default_factory=lambda: f"{socket.gethostname()}-{os.getpid()}-{os.urandom(3).hex()}")
    exclusion: ReadWriteLock = field(default_factory=ReadWriteLock)
    draining: asyncio.Event = field(default_factory=asyncio.Event)
    started_at: float = field(default_factory=time.time)
    items_done: int = 0
    warm: set[str] = field(default_factory=set)
    sharing: ProcessorSharing = field(default_factory=ProcessorSharing)
    stations: list[Station] = field(default_factory=list)
    lookout: Heartbeat = field(init=False)
    _back: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.lookout = Heartbeat(self.store)

    @property
    def store(self) -> JobStore:
        """Where jobs are kept."""
        return self.jobs.store

    @contextmanager
    def at_work(self) -> Iterator[Share]:
        """Holds as long as an item is being run."""
        with self.sharing.one() as share:
            yield share
            self.items_done += 1

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """Work; at the end, hand back at once what is under way."""
        async with AsyncExitStack() as stack:
            stack.push_async_callback(ended, asyncio.create_task(self.lookout.keep()))
            tasks = [asyncio.create_task(self._beat())]
            for priority, docket in self.jobs.queue.dockets.items():
                taker = Taker(
                    docket,
                    name=self.name,
                    concurrency=self.items + 1,
                    message_batch=1,  # workers that wait take turns
                    redelivery_timeout=timedelta(seconds=self.lease),
                    reconnection_delay=timedelta(seconds=1),
                    minimum_check_interval=LOOK_RESTING,
                    scheduling_resolution=timedelta(seconds=5),  # no chunk is put off
                    schedule_automatic_tasks=False,
                )
                station = Station(self, priority, taker)
                docket.register(station.run_chunk, names=["run_chunk"])
                self.stations.append(station)
                tasks.append(asyncio.create_task(self._take(taker)))
            log.info("worker started", worker=self.name, items=self.items)
            stack.push_async_callback(self._end, tasks)
            yield

    def report(self) -> Worker:
        """The worker as others see it."""
        model = self.engine.model
        state: Literal["working", "draining"] = "draining" if self.draining.is_set() else "working"
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
            items_running=sum(station.engine.admission.running for station in self.stations),
            items_done=self.items_done,
            chunks_running=sum(station.chunks_running for station in self.stations),
        )

    async def _take(self, taker: Taker) -> None:
        """Run the docket's own loop until the worker drains, and start it anew whatever ends it."""
        while not self.draining.is_set():
            try:
                async with taker:
                    loop = asyncio.create_task(taker.run_forever())
                    back = self._back
                    signs = [asyncio.create_task(sign.wait()) for sign in (self.draining, back)]
                    await asyncio.wait([loop, *signs], return_when=asyncio.FIRST_COMPLETED)
                    for sign in signs:
                        sign.cancel()
                    if back.is_set():
                        # A read that the outage swallowed would wait for TCP to notice: a minute or more.
                        loop.cancel()
                await asyncio.gather(loop, return_exceptions=True)
                if loop.done() and not loop.cancelled() and (error := loop.exception()) is not None:
                    raise error
            except Exception as error:
                log.error("the queue's loop ended; starting it anew", exc_info=error)
                await pause(self.draining, 1.0)

    async def _end(self, tasks: list[asyncio.Task[None]]) -> None:
        self.draining.set()
        _, pending = await asyncio.wait(tasks, timeout=STOP_WITHIN)
        for task in pending:
            task.cancel()
        await asyncio.wait(tasks, timeout=1.0)
        with suppress(RedisError, OSError):
            await sign_off(self.store.redis, self.name)
        log.info("worker ended", worker=self.name, items_done=self.items_done)

    async def _beat(self) -> None:
        heard = time.monotonic()
        while not self.draining.is_set():
            try:
                await sign_on(self.store, self.report())
                if time.monotonic() - heard > OUTAGE:
                    self._back.set()
                    self._back = asyncio.Event()
                heard = time.monotonic()
            except AWAY as error:
                log.debug("the queue's server does not answer", reason=str(error))
            except RedisError as error:
                log.error("telling of this worker failed", exc_info=error)
            await pause(self.draining, to_tick(BEAT_EVERY))
        with suppress(*AWAY):
            await sign_on(self.store, self.report())


async def ended(task: asyncio.Task[None]) -> None:
    """End a task that goes on for ever."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@dataclass(eq=False)
class Station:
    """The place of a worker at one docket; a :class:`app.jobs.work.chunk.Shift` for its chunks."""

    worker: JobWorker
    priority: Priority
    taker: Taker
    chunks_running: int = 0

    def __post_init__(self) -> None:
        self.begun = asyncio.Semaphore(self.worker.items + 1)
        self.name = self.worker.name
        self.engine = replace(self.worker.engine, admission=Admission(self.worker.items, 1 << 30))
        self.store = self.worker.store
        self.lookout = self.worker.lookout
        self.exclusion = self.worker.exclusion
        self.draining = self.worker.draining
        self.at_work = self.worker.at_work
        self.warm = self.worker.warm

    async def run_chunk(self, job_id: str, start: int, stop: int, name: str) -> None:
        """Work off a chunk; the rest of it goes back into the queue if the worker drains."""
        urgency.set(URGENCY[self.priority])
        self.chunks_running += 1
        self.taker.minimum_check_interval = LOOK_WORKING
        chunk = ChunkRun(self, job_id, name)
        try:
            if not await chunk.run(start, stop):
                await self.worker.jobs.queue.put(job_id, self.priority, [(start, stop)], os.urandom(6).hex())
        except (StoppedError, *AWAY) as error:
            log.warning("a chunk could not be handed back; its lease will end", job=job_id, reason=str(error))
            # Once the docket's loop stops, a cancelled task stays unacknowledged, for another worker.
            await asyncio.sleep(LOOP_STOPS)
            raise asyncio.CancelledError from error
        finally:
            self.chunks_running -= 1
            if not self.chunks_running:
                self.taker.minimum_check_interval = LOOK_RESTING
