"""Chunks on their way to workers: pydocket, a docket for each priority."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from docket import Docket

from app.jobs.schemas import Priority
from app.jobs.store import plain_calls

plain_calls.install()

PRIORITIES: tuple[Priority, ...] = ("interactive", "bulk")


async def run_chunk(job_id: str, start: int, stop: int, name: str) -> None:
    """Placeholder that services register; workers register the function that does the work.

    Args:
        job_id: whose chunk it is.
        start: first item.
        stop: item after the last.
        name: of the chunk.
    """
    raise NotImplementedError("no worker runs in this process")


@dataclass(frozen=True, eq=False)
class JobQueue:
    """Dockets by priority."""

    dockets: Mapping[Priority, Docket]

    async def put(self, job_id: str, priority: Priority, chunks: Sequence[tuple[int, int]], generation: str) -> None:
        """Put chunks into the queue, each once: another put with the same generation adds nothing.

        Raises:
            RedisError: not all of them could be put.
        """
        docket = self.dockets[priority]
        calls = []
        for start, stop in chunks:
            name = f"{job_id}:{start}-{stop}:{generation}"
            calls.append(docket.call("run_chunk", key=name)(job_id, start, stop, name))
        for execution in await docket.add_many(calls):
            if execution.schedule_exception is not None:
                raise execution.schedule_exception

    async def length(self, priority: Priority) -> int:
        """Chunks of a docket, those under way included."""
        docket = self.dockets[priority]
        async with docket.redis() as redis, redis.pipeline() as pipeline:
            pipeline.xlen(docket.stream_key)
            pipeline.zcard(docket.queue_key)
            waiting, scheduled = await pipeline.execute()
        return int(waiting) + int(scheduled)

    async def idle(self, priority: Priority) -> bool:
        """Whether a docket has nothing waiting and nothing under way."""
        return not await self.length(priority)


@asynccontextmanager
async def open_queue(url: str) -> AsyncIterator[JobQueue]:
    """Queue on a server that need not answer yet."""
    async with AsyncExitStack() as stack:
        dockets: dict[Priority, Docket] = {}
        for priority in PRIORITIES:
            docket = Docket(
                name=f"chainwright-{priority}",
                url=url,
                heartbeat_interval=timedelta(seconds=5),
                execution_ttl=timedelta(minutes=1),
            )
            docket.register(run_chunk)
            dockets[priority] = await stack.enter_async_context(docket)
        yield JobQueue(dockets)
