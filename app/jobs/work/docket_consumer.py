"""Consumer of one docket: chunks of a priority, taken and run by a worker."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from docket import Docket

from app.jobs.schemas import Priority
from app.jobs.store.connection import AWAY
from app.jobs.store.dockets import JobQueue
from app.jobs.work.chunk import ChunkRun, WorkerContext
from app.jobs.work.retry import DrainingError, pause
from app.jobs.work.stream_consumer import StreamConsumer
from models.language.scoring.batcher import BACKGROUND_URGENCY, urgency

log = structlog.get_logger()

POLL_BUSY = timedelta(milliseconds=100)
"""Between checks whether a chunk has ended and another may be taken."""

POLL_IDLE = timedelta(seconds=1)
"""Longest blocking read of a docket with nothing of it under way; a new chunk ends it at once."""

LOOP_STOP_SECONDS = 1.2
"""Time within which a docket's loop surely finds that it shall stop."""

URGENCY: dict[Priority, int] = {"interactive": 1, "bulk": BACKGROUND_URGENCY}
"""Urgency at the model, behind requests over REST, which have 0; of a bulk job only the end of the whole counts."""


@dataclass(eq=False)
class DocketConsumer:
    """Consumer of the chunks of one priority.

    One chunk more is under way than items run side by side: chunks of a single item fill the model's batches too, and
    where they have more, the next are there before the last items of one end.

    Attributes:
        lease: seconds of silence after which its chunks go to other workers.
        reconnect: set when connections from before an outage are not to be trusted.
        chunks_running: chunks under way.
    """

    context: WorkerContext
    queue: JobQueue
    priority: Priority
    items: int
    lease: float
    reconnect: asyncio.Event = field(default_factory=asyncio.Event)
    chunks_running: int = 0
    _stream: StreamConsumer = field(init=False)

    def __post_init__(self) -> None:
        docket: Docket = self.queue.dockets[self.priority]
        self._stream = StreamConsumer(
            docket,
            name=self.context.name,
            concurrency=self.items + 1,
            message_batch=1,  # workers that wait take turns
            redelivery_timeout=timedelta(seconds=self.lease),
            reconnection_delay=timedelta(seconds=1),
            minimum_check_interval=POLL_IDLE,
            scheduling_resolution=timedelta(seconds=5),  # no chunk is put off
            schedule_automatic_tasks=False,
        )
        docket.register(self._run_chunk, names=["run_chunk"])

    async def consume(self) -> None:
        """Run the docket's own loop until the worker drains, restarted whatever ends it."""
        draining = self.context.draining
        while not draining.is_set():
            self.reconnect.clear()
            try:
                async with self._stream:
                    loop = asyncio.create_task(self._stream.run_forever())
                    signals = [asyncio.create_task(event.wait()) for event in (draining, self.reconnect)]
                    await asyncio.wait([loop, *signals], return_when=asyncio.FIRST_COMPLETED)
                    for signal in signals:
                        signal.cancel()
                    if self.reconnect.is_set():
                        # A read that the outage swallowed would wait for TCP to notice: a minute or more.
                        loop.cancel()
                (error,) = await asyncio.gather(loop, return_exceptions=True)
                if isinstance(error, Exception):
                    raise error
            except Exception as error:
                log.error("the queue's loop ended; restarting it", exc_info=error)
                await pause(draining, 1.0)

    async def _run_chunk(self, job_id: str, start: int, stop: int, name: str) -> None:
        """Run a chunk; the rest of it goes back into the queue if the worker drains."""
        urgency.set(URGENCY[self.priority])
        self.chunks_running += 1
        self._stream.minimum_check_interval = POLL_BUSY
        try:
            if not await ChunkRun(self.context, job_id, name).run(start, stop):
                await self.queue.put(job_id, self.priority, [(start, stop)], os.urandom(6).hex())
        except (DrainingError, *AWAY) as error:
            log.warning("a chunk could not be handed back; its lease will end", job=job_id, reason=str(error))
            # Once the docket's loop stops, a cancelled task stays unacknowledged, for another worker.
            await asyncio.sleep(LOOP_STOP_SECONDS)
            raise asyncio.CancelledError from error
        finally:
            self.chunks_running -= 1
            if not self.chunks_running:
                self._stream.minimum_check_interval = POLL_IDLE
