"""Scripts sent together: each happens once and by itself, whatever befalls the others or the server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from redis.exceptions import ResponseError

from app.jobs.store.connection import AWAY, Redis, connected
from app.jobs.store.script_batch import ScriptBatch
from tests.support.fleet import QueueServer
from tests.support.processes import free_port

ADD = "return redis.call('INCRBY', KEYS[1], ARGV[1])"
SCRIPTS = {"add": ADD, "wait": "local i = 0; while i < 3e6 do i = i + 1 end; return i"}


@asynccontextmanager
async def opened(queue: QueueServer) -> AsyncIterator[tuple[Redis, ScriptBatch]]:
    async with connected(queue.url) as client:
        yield client, ScriptBatch(client, {name: client.register_script(text) for name, text in SCRIPTS.items()})


async def sent(batch: ScriptBatch) -> None:
    """Wait until those asked for are under way; their replies come later than what the loop does at once."""
    await asyncio.sleep(0)
    while batch._waiting:
        await asyncio.sleep(0)


async def reads(client: Redis) -> int:
    """Number of reads from sockets by the server."""
    return int((await client.info("stats"))["total_reads_processed"])


def test_those_asked_for_at_once_share_an_exchange(queue: QueueServer) -> None:
    async def work() -> None:
        async with opened(queue) as (client, batch):
            await client.delete("exchange:n")
            await batch.run("add", ["exchange:n"], [0])
            before = await reads(client)
            replies = await asyncio.gather(*(batch.run("add", ["exchange:n"], [1]) for _ in range(50)))
            assert replies == list(range(1, 51))
            # Two, the count itself among them; a machine that is held up may deliver one in parts.
            assert await reads(client) - before < 10

    asyncio.run(work())


def test_those_asked_for_meanwhile_share_the_next_but_for_who_left(queue: QueueServer) -> None:
    async def work() -> None:
        async with opened(queue) as (client, batch):
            await client.delete("exchange:n")
            await batch.run("add", ["exchange:n"], [0])
            before = await reads(client)
            first = asyncio.create_task(batch.run("wait", [], []))
            await sent(batch)
            later = [asyncio.create_task(batch.run("add", ["exchange:n"], [1])) for _ in range(10)]
            await asyncio.sleep(0)
            later.pop().cancel()
            assert await asyncio.gather(first, *later) == [3_000_000, *range(1, 10)]
            # Five, since "wait" had to be loaded, or a few more in parts; one each would be thirteen.
            assert await reads(client) - before < 10
            assert await client.get("exchange:n") == "9"

    asyncio.run(work())


def test_scripts_that_the_server_forgot_are_loaded_and_nothing_is_done_twice(queue: QueueServer) -> None:
    async def work() -> None:
        async with opened(queue) as (client, batch):
            await client.delete("exchange:n")
            await client.script_flush()
            assert await asyncio.gather(*(batch.run("add", ["exchange:n"], [1]) for _ in range(3))) == [1, 2, 3]

    asyncio.run(work())


def test_one_that_fails_fails_alone(queue: QueueServer) -> None:
    async def work() -> None:
        async with opened(queue) as (client, batch):
            await client.delete("exchange:n")
            await client.set("exchange:word", "word")
            names = ["exchange:n", "exchange:word", "exchange:n"]
            calls = (batch.run("add", [name], [1]) for name in names)
            one, word, two = await asyncio.gather(*calls, return_exceptions=True)
            assert (one, two) == (1, 2) and isinstance(word, ResponseError)

    asyncio.run(work())


def test_a_server_that_ended_is_told_to_all_and_its_successor_is_found(tmp_path: Path) -> None:
    queue = QueueServer(tmp_path, free_port())
    queue.start()

    async def work() -> None:
        async with opened(queue) as (_, batch):
            assert await batch.run("add", ["exchange:n"], [1]) == 1
            queue.stop()
            calls = [batch.run("add", ["exchange:n"], [1]) for _ in range(4)]
            replies = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 60)
            assert all(isinstance(reply, AWAY) for reply in replies)
            queue.start()
            assert await batch.run("add", ["exchange:n"], [1]) == 2

    try:
        asyncio.run(work())
    finally:
        queue.stop()


def test_a_loop_that_ends_leaves_nobody_waiting(queue: QueueServer) -> None:
    async def work() -> None:
        async with opened(queue) as (_, batch):
            waiting = [asyncio.create_task(batch.run(name, [], [1])) for name in ("wait", "add")]
            await sent(batch)
            assert batch._sender is not None
            batch._sender.cancel()
            for each in waiting:
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.wait_for(each, 60)

    asyncio.run(work())
