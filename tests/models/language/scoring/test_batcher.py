"""The queue before the model: batches of what waits, errors to their own callers, nothing for those who left."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from models.language.scoring.batcher import BACKGROUND_URGENCY, FIXED_BATCH_TOKENS, Batcher, BatchReport, urgency
from tests.support.virtual_time import VirtualModel, run


@dataclass(eq=False)
class Model:
    """Work that can be held up, and a record of the batches that ran."""

    free: threading.Event = field(default_factory=threading.Event)
    batches: list[list[int]] = field(default_factory=list)


@dataclass(eq=False)
class Double:
    """Doubles a number; refuses 13, and takes everyone in its batch down with it."""

    model: Model
    number: int
    kind: object = "double"
    cost: int = 10
    rank: int = 1

    def run(self, together: Sequence[Double]) -> list[int]:
        assert self.model.free.wait(300)
        self.model.batches.append([work.number for work in together])
        if any(work.number == 13 for work in together):
            raise ValueError("thirteen")
        return [2 * work.number for work in together]


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


def test_what_comes_while_the_model_runs_makes_the_next_batch(executor: ThreadPoolExecutor) -> None:
    async def scenario() -> tuple[list[int], Model, list[BatchReport]]:
        model, reports = Model(), list[BatchReport]()
        batcher = Batcher(executor, on_batch=reports.append)
        first = asyncio.create_task(batcher.submit(Double(model, 1)))
        await asyncio.sleep(0.02)
        rest = [asyncio.create_task(batcher.submit(Double(model, n))) for n in (2, 3, 4)]
        await asyncio.sleep(0)  # they have come
        assert batcher.waiting == 3
        await asyncio.sleep(0.02)
        model.free.set()
        return [await task for task in (first, *rest)], model, reports

    results, model, reports = asyncio.run(scenario())
    assert results == [2, 4, 6, 8]
    assert model.batches == [[1], [2, 3, 4]]
    assert [(report.jobs, report.cost, report.work) for report in reports] == [(1, 10, "double"), (3, 30, "double")]
    assert all(waited >= 0.015 for waited in reports[1].waited)


def test_an_idle_model_waits_for_nobody(executor: ThreadPoolExecutor) -> None:
    async def scenario() -> list[list[int]]:
        model = Model()
        model.free.set()
        batcher = Batcher(executor)
        for n in range(3):
            assert await batcher.submit(Double(model, n)) == 2 * n
        return model.batches

    assert asyncio.run(scenario()) == [[0], [1], [2]]


def test_an_error_reaches_its_own_caller_only(executor: ThreadPoolExecutor) -> None:
    async def scenario() -> list[object]:
        model = Model()
        batcher = Batcher(executor)
        tasks = [asyncio.create_task(batcher.submit(Double(model, n))) for n in (12, 13, 14)]
        await asyncio.sleep(0.02)
        model.free.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert await batcher.submit(Double(model, 5)) == 10
        return list(results)

    one, two, three = asyncio.run(scenario())
    assert (one, three) == (24, 28)
    assert isinstance(two, ValueError)


def test_who_left_is_not_served_and_holds_up_nobody(executor: ThreadPoolExecutor) -> None:
    async def scenario() -> list[list[int]]:
        model = Model()
        batcher = Batcher(executor)
        tasks = [asyncio.create_task(batcher.submit(Double(model, 0)))]
        await asyncio.sleep(0.02)
        tasks += [asyncio.create_task(batcher.submit(Double(model, n))) for n in (1, 2, 3)]
        await asyncio.sleep(0.02)
        tasks[0].cancel()  # runs already
        tasks[2].cancel()  # waits
        model.free.set()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [results[1], results[3]] == [2, 6]
        assert [type(results[k]) for k in (0, 2)] == [asyncio.CancelledError] * 2
        return model.batches

    batches = asyncio.run(scenario())
    assert all(2 not in batch for batch in batches)


def test_batches_keep_to_the_budget_and_to_one_kind(executor: ThreadPoolExecutor) -> None:
    async def scenario() -> list[list[int]]:
        model = Model()
        batcher = Batcher(executor, budget=25)
        jobs = [Double(model, 0), Double(model, 1), Double(model, 2, kind="other"), Double(model, 3), Double(model, 4)]
        jobs.append(Double(model, 5, cost=99))
        tasks = [asyncio.create_task(batcher.submit(job)) for job in jobs]
        await asyncio.sleep(0.02)
        model.free.set()
        assert await asyncio.gather(*tasks) == [0, 2, 4, 6, 8, 10]
        return model.batches

    assert asyncio.run(scenario()) == [[0, 1], [2], [3, 4], [5]]


def test_short_jobs_that_others_hang_on_run_first(executor: ThreadPoolExecutor) -> None:
    async def scenario() -> list[list[int]]:
        model = Model()
        batcher = Batcher(executor)
        ranks = {0: 1, 1: 1, 2: 0, 3: 1, 4: 0}
        tasks = [
            asyncio.create_task(batcher.submit(Double(model, n, kind=rank, rank=rank))) for n, rank in ranks.items()
        ]
        tasks.insert(0, asyncio.create_task(batcher.submit(Double(model, 9))))
        await asyncio.sleep(0.02)
        model.free.set()
        await asyncio.gather(*tasks)
        return model.batches

    assert asyncio.run(scenario()) == [[2, 4], [0, 1, 3], [9]]


def test_calls_run_in_the_models_thread_alone(executor: ThreadPoolExecutor) -> None:
    async def scenario() -> tuple[list[str], str]:
        batcher = Batcher(executor)
        names = await asyncio.gather(*(batcher.call(lambda: threading.current_thread().name) for _ in range(3)))
        return list(names), threading.current_thread().name

    names, here = asyncio.run(scenario())
    assert len(set(names)) == 1 and here not in names


def test_the_urgent_goes_first_and_the_rest_fills_its_batches(executor: ThreadPoolExecutor) -> None:
    async def scenario() -> Model:
        model = Model()
        batcher = Batcher(executor, budget=30)

        async def submit(number: int, after: int, kind: str = "double") -> None:
            urgency.set(after)
            await batcher.submit(Double(model, number, kind=kind, rank=0 if after else 1))

        tasks = [asyncio.create_task(submit(1, 0))]
        await asyncio.sleep(0.02)
        tasks += [asyncio.create_task(submit(n, 1)) for n in (2, 3, 4)]
        tasks += [asyncio.create_task(submit(5, 1, kind="other"))]
        tasks += [asyncio.create_task(submit(n, 0)) for n in (6, 7)]
        await asyncio.sleep(0.02)
        model.free.set()
        await asyncio.gather(*tasks)
        return model

    assert asyncio.run(scenario()).batches == [[1], [6, 7, 2], [3, 4], [5]]


@dataclass(eq=False)
class Sized:
    """Takes half a millisecond for each unit of the batch's cost."""

    model: VirtualModel
    name: str
    cost: int
    kind: object = "sized"
    rank: int = 1

    def run(self, together: Sequence[Sized]) -> list[str]:
        self.model.begin([work.name for work in together], 0.0005 * sum(work.cost for work in together))
        return [work.name for work in together]


async def ask_on(batcher: Batcher, model: VirtualModel, name: str, cost: int, turns: int) -> None:
    with batcher.regular() as caller:
        for _ in range(turns):
            await batcher.submit(Sized(model, name, cost), caller)


def test_the_small_get_more_turns_than_the_large() -> None:
    async def scenario() -> list[list[str]]:
        model = VirtualModel()
        batcher = model.batcher()
        await ask_on(batcher, model, "first", 64, 20)  # long ago, and of no account
        large = asyncio.create_task(ask_on(batcher, model, "large", 64, 400))
        await asyncio.sleep(0.2)
        began = len(model.batches)
        await ask_on(batcher, model, "small", 16, 160)
        ended = len(model.batches)
        large.cancel()
        await asyncio.gather(large, return_exceptions=True)
        return model.names[began:ended]

    turns = [number for number, batch in enumerate(run(scenario())) if "large" in batch]
    # Both are served alike if two thirds of J shared batches of 40 ms, the large one's by roots 8 and 4, are as much
    # as a third of them and the small one's 160 - J batches of 8 ms: J = 60. What the large one had before the small
    # one came counts for nothing, so it has its turns from the beginning on.
    assert abs(len(turns) - 60) <= 2
    assert max(later - earlier for earlier, later in pairwise([-1, *turns, 160])) <= 4


@pytest.mark.parametrize(("smalls", "shares"), [(5, True), (4, False)], ids=["among many", "among few"])
def test_one_that_makes_no_batch_more_than_twice_as_long_shares_all(smalls: int, shares: bool) -> None:
    async def scenario() -> list[list[str]]:
        model = VirtualModel()
        batcher = model.batcher()
        large = asyncio.create_task(ask_on(batcher, model, "large", 60 + FIXED_BATCH_TOKENS, 400))
        await asyncio.gather(*(ask_on(batcher, model, f"s{k}", 12, 40) for k in range(smalls)))
        large.cancel()
        await asyncio.gather(large, return_exceptions=True)
        return model.names

    batches = [batch for batch in run(scenario()) if batch != ["large"]]
    alone = sum("large" not in batch for batch in batches)
    assert alone == 0 if shares else alone > 10


@pytest.mark.parametrize(
    "urgent", [BACKGROUND_URGENCY - 1, BACKGROUND_URGENCY], ids=["answers are waited for", "in the background"]
)
def test_in_the_background_all_that_fits_goes_together(urgent: int) -> None:
    async def scenario() -> list[list[str]]:
        model = VirtualModel()
        batcher = model.batcher()
        urgency.set(urgent)
        await asyncio.gather(*(ask_on(batcher, model, name, cost, 20) for name, cost in (("a", 64), ("b", 4))))
        return model.names

    batches = run(scenario())
    if urgent == BACKGROUND_URGENCY:
        assert batches == [["a", "b"]] * 20
    else:
        assert len(batches) >= 25
