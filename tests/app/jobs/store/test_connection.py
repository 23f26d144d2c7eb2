"""Client of the queue's server: every call ends, and a task that waits for one can be cancelled."""

from __future__ import annotations

import asyncio
import signal

import pytest

from app.jobs.store import connection
from app.jobs.store.connection import as_problem, connected
from app.web.problems import ProblemError
from tests.support.fleet import QueueServer
from tests.support.loop_time import waiting


def test_cancelling_is_never_swallowed(queue: QueueServer) -> None:
    async def work() -> None:
        async with connected(queue.url) as client:

            async def ask() -> None:
                while True:
                    await client.get("nothing")
                    async with client.pipeline(transaction=False) as pipeline:
                        await pipeline.time().execute()

            for number in range(100):
                task = asyncio.create_task(ask())
                await asyncio.sleep(0.001 + number * 1e-5)
                task.cancel()
                _, pending = await asyncio.wait([task], timeout=300)
                assert not pending

    asyncio.run(work())


def test_a_hung_server_is_told_in_time(queue: QueueServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        async with connected(queue.url) as client:
            assert await client.ping()
            assert queue.process is not None
            monkeypatch.setattr(connection, "TIMEOUT", 0.3)
            queue.process.send_signal(signal.SIGSTOP)
            try:
                async with waiting() as waited:
                    with pytest.raises(ProblemError) as raised, as_problem():
                        await client.get("nothing")
                assert raised.value.status == 503 and waited.seconds < 2
            finally:
                queue.process.send_signal(signal.SIGCONT)
                monkeypatch.undo()
            assert await client.get("nothing") is None

    asyncio.run(work())
