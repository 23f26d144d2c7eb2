"""What work costs, as workers learn it and chunks are cut by it."""

from __future__ import annotations

import asyncio

import pytest

from app.jobs.store import keys
from app.jobs.store.connection import connected
from app.jobs.store.store import JobStore
from app.jobs.store.workers import LEAST, WEIGHT, costs, learn
from tests.support.fleet import QueueServer


def test_costs_are_smoothed_and_tell_nothing_of_short_or_mixed_work(queue: QueueServer) -> None:
    async def work() -> None:
        async with connected(queue.url) as client:
            await client.delete(keys.COSTS)
            store = JobStore(client, 60)
            await learn(store, {"score": 10.0}, 2.0)
            assert await costs(client) == {"score": 0.2}
            await learn(store, {"score": 10.0}, 4.0)
            await learn(store, {"score": 10.0}, LEAST / 2)
            await learn(store, {"score": 10.0, "search": 1.0}, 60.0)
            await learn(store, {}, 60.0)
            assert await costs(client) == {"score": pytest.approx((1 - WEIGHT) * 0.2 + WEIGHT * 0.4)}
            await client.delete(keys.COSTS)

    asyncio.run(work())
