"""Read-write lock: many together or one alone."""

from __future__ import annotations

import asyncio
import random

from app.jobs.work.read_write_lock import ReadWriteLock


def test_who_is_alone_is_alone() -> None:
    async def work() -> None:
        lock, together, most, alone = ReadWriteLock(), 0, 0, 0

        async def share() -> None:
            nonlocal together, most
            async with lock.shared():
                together += 1
                most = max(most, together)
                assert not alone
                await asyncio.sleep(0.001)
                together -= 1

        async def single() -> None:
            nonlocal alone
            async with lock.exclusive():
                alone += 1
                assert alone == 1 and not together
                await asyncio.sleep(0.001)
                alone -= 1

        await asyncio.gather(*(single() if i % 5 == 3 else share() for i in range(40)))
        assert most > 1

    asyncio.run(work())


def test_who_waits_to_be_alone_goes_before_later_sharers_and_may_give_up() -> None:
    async def work() -> None:
        lock, order, free = ReadWriteLock(), list[str](), asyncio.Event()

        async def held(name: str, alone: bool) -> None:
            async with lock.exclusive() if alone else lock.shared():
                order.append(name)
                await free.wait()

        first = asyncio.create_task(held("first", False))
        await asyncio.sleep(0)
        gone = asyncio.create_task(held("gone", True))
        alone = asyncio.create_task(held("alone", True))
        await asyncio.sleep(0)
        late = asyncio.create_task(held("late", False))
        await asyncio.sleep(0)
        gone.cancel()
        free.set()
        await asyncio.wait_for(asyncio.gather(first, alone, late), 60)
        assert order == ["first", "alone", "late"]

    asyncio.run(work())


def test_who_is_cancelled_while_letting_go_keeps_nothing() -> None:
    rng = random.Random(0)

    async def steps(count: int) -> None:
        for _ in range(count):
            await asyncio.sleep(0)

    async def work() -> None:
        lock = ReadWriteLock()

        async def held(alone: bool) -> None:
            async with lock.exclusive() if alone else lock.shared():
                await steps(rng.randrange(3))

        for _ in range(300):
            tasks = [asyncio.create_task(held(rng.random() < 0.3)) for _ in range(12)]
            for task in rng.sample(tasks, 8):
                await steps(rng.randrange(3))
                task.cancel()
            await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 60)
        await asyncio.wait_for(held(True), 60)

    asyncio.run(work())
