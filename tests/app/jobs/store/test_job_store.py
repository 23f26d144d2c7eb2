"""The scripts of the store, on a real server: each change happens once, whatever is repeated."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.jobs.store import keys
from app.jobs.store.connection import connected
from app.jobs.store.dockets import open_queue
from app.jobs.store.record import Accepted, Entry, new_id
from app.jobs.store.store import JobStore, new_token
from app.jobs.work import maintenance
from app.jobs.work.maintenance import Maintenance
from tests.support.fleet import QueueServer


def accepted(count: int, refused: int = 0, **more: Any) -> Accepted:
    entries = {i: Entry(i, f"c{i}", "/v1/score", {"texts": ["今天"]}).text for i in range(count)}
    fields: dict[str, Any] = {
        "id": new_id(),
        "items": entries,
        "refused": {count + i: "{}" for i in range(refused)},
        "chunks": [(0, count + refused)],
        "priority": "bulk",
        "expires_after": 60.0,
        "idempotency": "",
        "digest": "d",
    }
    return Accepted(**(fields | more))


def own(queue: QueueServer) -> str:
    """A database without a service that looks after its jobs."""
    return queue.url.removesuffix("/0") + "/1"


async def tries(store: JobStore, job_id: str, stop: int) -> dict[int, int]:
    """Begin a chunk; how often each of its unfinished items was begun before."""
    return {item.number: item.tries for item in (await store.start(job_id, 0, stop, "x")).unfinished}


async def queued(store: JobStore, job_id: str) -> bool:
    """Whether a job is marked as having its chunks in the queue."""
    record = await store.record(job_id)
    return record is not None and record.queued


def errors(logs: Sequence[Mapping[str, Any]]) -> list[str]:
    """The jobs of the errors that were logged."""
    return [entry["job"] for entry in logs if entry["log_level"] == "error"]


def on_server(queue: QueueServer, work: Callable[[JobStore], Awaitable[None]], retention: int = 60) -> None:
    async def run() -> None:
        async with connected(own(queue)) as client:
            await work(JobStore(client, retention))

    asyncio.run(run())


def test_a_result_is_written_once_and_the_last_one_completes(queue: QueueServer) -> None:
    async def work(store: JobStore) -> None:
        job_id = await store.accept(accepted(2, refused=1))
        assert await tries(store, job_id, 3) == {0: 0, 1: 0}
        assert await store.write(job_id, 0, "first", "completed")
        assert not await store.write(job_id, 0, "second", "failed")
        record = await store.record(job_id)
        assert record is not None and (record.completed, record.failed, record.status) == (1, 1, "in_progress")
        assert await tries(store, job_id, 3) == {1: 0}
        assert await store.write(job_id, 1, "other", "failed")
        assert await store.results(job_id, range(3)) == ["first", "other", "{}"]
        record = await store.record(job_id)
        assert record is not None and (record.completed, record.failed, record.status) == (1, 2, "finalizing")
        assert await tries(store, job_id, 3) == {}
        assert await store.settle(job_id) == "completed" and await store.settle(job_id) == "completed"
        assert job_id not in await store.open_ids()
        kinds = [(fields["kind"], fields["status"]) for _, fields in await store.events(job_id, "0-0")]
        assert kinds[0] == ("status", "validating") and kinds[-1] == ("status", "completed")
        assert 0 < await store.redis.ttl(keys.results(job_id)) <= 60
        assert not await store.redis.exists(keys.items(job_id), keys.tries(job_id), keys.running(job_id))

    on_server(queue, work)


def test_a_try_counts_once_though_its_reply_was_lost(queue: QueueServer) -> None:
    async def work(store: JobStore) -> None:
        job_id = await store.accept(accepted(2))
        first, second = new_token("w"), new_token("w")
        assert [await store.begin_try(job_id, 0, each) for each in (first, first, second)] == [1, 1, 2]
        await store.undo_tries(job_id, {0: first})  # not the last one: it ended otherwise
        assert await tries(store, job_id, 2) == {0: 2, 1: 0}
        await store.undo_tries(job_id, {0: second})
        await store.undo_tries(job_id, {0: second})
        assert await tries(store, job_id, 2) == {0: 1, 1: 0}
        assert await store.write(job_id, 0, "done", "completed")
        assert await store.begin_try(job_id, 0, new_token("w")) == 0
        await store.cancel(job_id)
        assert await store.begin_try(job_id, 1, new_token("w")) == -1

    on_server(queue, work)


def test_workers_lost_beside_others_are_counted_once_each(queue: QueueServer) -> None:
    async def work(store: JobStore) -> None:
        job_id = await store.accept(accepted(6))
        assert (await store.start(job_id, 0, 6, "x")).lost == 0
        tokens = {number: new_token("first" if number < 3 else "second") for number in range(5)}
        for number, token in tokens.items():
            await store.begin_try(job_id, number, token)
        await store.undo_tries(job_id, {3: tokens[3], 4: tokens[4]})  # handed back by a worker that drained
        assert (await store.start(job_id, 0, 6, "x")).lost == 1
        await store.begin_try(job_id, 0, new_token("third"))  # alone: no evidence of anything but its own
        assert (await store.start(job_id, 0, 6, "x")).lost == 1
        await store.begin_try(job_id, 5, new_token("fourth"))
        assert (await store.start(job_id, 0, 6, "x")).lost == 2

    on_server(queue, work)


def test_a_cancelled_job_takes_no_result_and_ends_when_its_chunks_have(queue: QueueServer) -> None:
    async def work(store: JobStore) -> None:
        job_id = await store.accept(accepted(3))
        await store.start(job_id, 0, 3, "x")
        assert await store.chunk_heartbeat(job_id, ["x"]) == "in_progress"
        assert await store.cancel(job_id) == "cancelling" and await store.cancel(job_id) == "cancelling"
        assert not await store.write(job_id, 0, "late", "completed")
        assert await store.settle(job_id) == "cancelling"
        assert await store.chunk_heartbeat(job_id, ["x"]) == "cancelling"
        assert await store.settle(job_id, stopped="x") == "cancelled"
        assert await store.cancel(job_id) == "cancelled" and await store.chunk_heartbeat(job_id, ["x"]) == "cancelled"
        record = await store.record(job_id)
        assert record is not None and record.ended and record.completed == 0
        await store.delete(job_id, record.idempotency)
        assert await store.record(job_id) is None and await store.cancel(job_id) is None

    on_server(queue, work)


def test_a_job_expires_and_is_forgotten(queue: QueueServer) -> None:
    async def work(store: JobStore) -> None:
        job_id = await store.accept(accepted(2))
        await store.start(job_id, 0, 2, "x")
        assert await store.settle(job_id) == "in_progress"
        await store.redis.hset(keys.job(job_id), "expires_at", "1")  # long ago
        assert await store.settle(job_id) == "expired" and not await store.write(job_id, 0, "late", "completed")
        kept = await store.redis.ttl(keys.job(job_id))
        assert 50 < kept <= 60 and await store.record(job_id) is not None
        await asyncio.gather(*[store.redis.expire(key, 0) async for key in store.redis.scan_iter(f"*{job_id}*")])
        assert await store.record(job_id) is None
        assert job_id not in [record.id for record in await store.records(None, 1000)]
        assert await store.redis.zscore(keys.ALL, job_id) is None
        assert not [key async for key in store.redis.scan_iter(f"*{job_id}*")]

    on_server(queue, work)


def test_an_idempotency_key_makes_one_job_of_many_tries_at_once(queue: QueueServer) -> None:
    async def work(store: JobStore) -> None:
        key = new_id()
        ids = await asyncio.gather(*(store.accept(accepted(3, idempotency=key)) for _ in range(8)))
        (job_id,) = set(ids)
        assert len(await store.items(job_id, [0, 1, 2])) == 3 and len(await store.events(job_id, "0-0")) == 1
        with pytest.raises(KeyError, match=job_id):
            await store.accept(accepted(3, idempotency=key, digest="other"))

    on_server(queue, work)


def test_chunks_that_were_lost_are_put_into_the_queue_again(
    queue: QueueServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ROUND_SECONDS", "UNQUEUED_SECONDS", "STRANDED_SECONDS"):
        monkeypatch.setattr(maintenance, name, 0.05)

    async def work(store: JobStore) -> None:
        async with open_queue(own(queue)) as waiting:
            docket = waiting.dockets["interactive"]
            await docket.clear()
            # Accepted by a service that ended before it put the chunks into the queue; then lost from there.
            job_id = await store.accept(accepted(4, chunks=[(0, 2), (2, 4)], priority="interactive"))
            task = asyncio.create_task(Maintenance(store, waiting).run())
            try:
                for _ in range(2):
                    async with asyncio.timeout(60):
                        # Each chunk comes by itself, and the job is marked after them.
                        while await waiting.length("interactive") < 2 or not await queued(store, job_id):
                            await asyncio.sleep(0.02)
                    async with docket.redis() as redis:
                        messages = await redis.xrange(docket.stream_key)
                    names = sorted(str(fields[b"key"]).split(":")[1] for _, fields in messages)
                    assert names == ["0-2", "2-4"]
                    await docket.clear()
            finally:
                task.cancel()
                await store.cancel(job_id)
                await store.settle(job_id)

    on_server(queue, work)


def test_a_job_whose_record_is_spoilt_holds_up_no_other(queue: QueueServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(maintenance, "ROUND_SECONDS", 0.05)

    async def work(store: JobStore) -> None:
        await store.redis.delete(keys.MAINTAINER)
        async with open_queue(own(queue)) as waiting:
            unreadable, unusable = [await store.accept(accepted(1)) for _ in range(2)]
            await store.redis.hdel(keys.job(unreadable), "created_at")
            await store.redis.hset(keys.job(unusable), "expires_at", "soon")
            short = [await store.accept(accepted(1, expires_after=0.3 * step)) for step in (1, 2)]
            with capture_logs() as logs:
                task = asyncio.create_task(Maintenance(store, waiting).run())
                try:
                    async with asyncio.timeout(60):
                        while set(short) & set(await store.open_ids()) or len(errors(logs)) < 2:
                            await asyncio.sleep(0.02)
                    assert not task.done()
                    assert {unreadable, unusable} <= set(await store.open_ids())
                finally:
                    task.cancel()
                    await store.redis.srem(keys.OPEN, unreadable, unusable)
            assert sorted(errors(logs)) == sorted([unreadable, unusable])  # once each

    on_server(queue, work)


def test_an_item_that_is_gone_fails_the_job(queue: QueueServer) -> None:
    async def work(store: JobStore) -> None:
        job_id = await store.accept(accepted(2))
        await store.redis.hdel(keys.items(job_id), "1")
        first = Entry(0, "c0", "/v1/score", {"texts": ["今天"]})
        assert await store.items(job_id, [0, 1]) == [first, None]
        assert [item.entry for item in (await store.start(job_id, 0, 2, "x")).unfinished] == [first, None]
        await store.fail(job_id, "its items are gone")
        record = await store.record(job_id)
        assert record is not None and record.status == "failed" and record.error == "its items are gone"
        assert await store.settle(job_id) == "failed" and json.loads(json.dumps(record.chunks)) == [[0, 2]]

    on_server(queue, work)


def test_one_looks_after_jobs_until_it_is_silent(queue: QueueServer) -> None:
    async def work(store: JobStore) -> None:
        await store.redis.delete(keys.MAINTAINER)  # of another test
        names = [new_id() for _ in range(4)]
        for _ in range(3):
            assert [await store.lead(name, 60.0) for name in names] == [True, False, False, False]
            assert await store.redis.pttl(keys.MAINTAINER) > 30_000, "renewed"
            await store.redis.pexpire(keys.MAINTAINER, 20_000)
        await store.redis.pexpire(keys.MAINTAINER, 0)  # silent for so long
        assert [await store.lead(name, 60.0) for name in names[1:]] == [True, False, False]
        assert not await store.lead(names[0], 60.0)

    on_server(queue, work)
