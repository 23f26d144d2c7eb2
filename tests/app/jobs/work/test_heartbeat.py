"""Heartbeat of a worker's chunks: jobs hear of them, and they of their jobs."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack

import pytest

from app.jobs.store import keys
from app.jobs.store.connection import connected
from app.jobs.store.store import JobStore
from app.jobs.work import heartbeat
from app.jobs.work.heartbeat import Heartbeat
from tests.app.jobs.store.test_job_store import accepted
from tests.support.fleet import QueueServer


def test_it_keeps_chunks_alive_and_tells_those_whose_job_wants_no_more(
    queue: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat, "HEARTBEAT_SECONDS", 0.02)

    async def heard_of(store: JobStore, job_id: str) -> dict[str, float]:
        return dict(await store.redis.zrange(keys.running(job_id), 0, -1, withscores=True))

    async def work() -> None:
        async with connected(queue.url) as client:
            store = JobStore(client, 60)
            beating = Heartbeat(store)
            first, second = [await store.accept(accepted(4)) for _ in range(2)]
            chunks = [(first, "a"), (first, "b"), (second, "c")]
            for job_id, chunk in chunks:
                await store.start(job_id, 0, 4, chunk)

            async def heard_of_all() -> dict[str, float]:
                return await heard_of(store, first) | await heard_of(store, second)

            began = await heard_of_all()
            keeping = asyncio.create_task(beating.run())
            with ExitStack() as ending:
                unwanted = [ending.enter_context(beating.during(*chunk)) for chunk in chunks]
                again = ending.enter_context(beating.during(first, "a"))  # a chunk that came back
                async with asyncio.timeout(60):
                    while not all(heard > began[chunk] for chunk, heard in (await heard_of_all()).items()):
                        await asyncio.sleep(0.02)
                assert set(await heard_of_all()) == {"a", "b", "c"}
                assert not any(sign.is_set() for sign in [*unwanted, again])
                await store.settle(first, stopped="b")
                await store.cancel(first)
                await asyncio.wait_for(asyncio.gather(*(sign.wait() for sign in (*unwanted[:2], again))), 60)
                assert not unwanted[2].is_set() and set(await heard_of(store, first)) == {"a"}  # nobody revives b
            with beating.during(first, "a") as sign:  # of a later beat: none of before is under way any more
                await asyncio.wait_for(sign.wait(), 60)
            began = await heard_of(store, second)
            await asyncio.sleep(0.1)
            assert await heard_of(store, second) == began
            keeping.cancel()

    asyncio.run(work())
