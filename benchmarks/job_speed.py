"""Cost of the queue beside the work itself, speed-up by workers, and latency of submitting and cancelling."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from app.jobs.work.docket_consumer import URGENCY
from benchmarks.turns import Work, by_turns
from models.language.scoring.batcher import urgency
from tests.support.fleet import Fleet, QueueServer
from tests.support.job_chaos import watch
from tests.support.job_items import sentences
from tests.support.processes import Handle

POLL_EVERY = 2.0
"""Seconds between polls of a job, as by the client."""

WARMING = 1_000_000
"""Number of the first item that only warms up."""


@dataclass(frozen=True)
class Cost:
    """Cost of some work.

    Attributes:
        seconds: by the clock.
        cpu_seconds: of all cores, by the processes that did the work.
    """

    seconds: float
    cpu_seconds: float


def direct() -> None:
    """Run the bodies of the file CHAINWRIGHT_BODIES in this process, without a queue, as urgent as CHAINWRIGHT_URGENCY:
    those that warm up, and when the file CHAINWRIGHT_GO is there, the others; tells when it ended, and the time that it
    spent on cores."""
    from app.engine.engine import open_engine
    from app.settings.settings import Settings
    from app.tasks.keywords.schemas import SentencesRequest
    from app.tasks.keywords.task import Sentences

    warming, bodies = json.loads(Path(os.environ["CHAINWRIGHT_BODIES"]).read_text("utf-8"))
    settings = Settings()
    urgency.set(int(os.environ["CHAINWRIGHT_URGENCY"]))

    async def work() -> tuple[float, float]:
        async with open_engine(settings, lambda what, share: None) as engine:
            places = asyncio.Semaphore(settings.worker_items)

            async def one(body: dict[str, Any]) -> None:
                async with places:
                    await Sentences().run(SentencesRequest.model_validate(body), engine)

            await asyncio.gather(*map(one, warming))
            Path(os.environ["CHAINWRIGHT_WARM"]).touch()
            while not Path(os.environ["CHAINWRIGHT_GO"]).exists():
                await asyncio.sleep(0.01)
            cpu = time.process_time()
            async with asyncio.TaskGroup() as group:
                for body in bodies:
                    group.create_task(one(body))
            return time.time(), time.process_time() - cpu

    found = asyncio.run(work())
    Path(os.environ["CHAINWRIGHT_COST"]).write_text(json.dumps(found), "utf-8")


def warming(items: list[dict[str, Any]], workers: int = 1) -> list[dict[str, Any]]:
    """Items like these of which no score is wanted again: vocabularies and first forwards."""
    sampler = items[0]["body"]["sampler"]
    return [sentences(WARMING + number, sampler["chains"], sampler["steps"]) for number in range(4 * workers)]


@dataclass(eq=False)
class Direct:
    """Items in a process without a queue, warm and waiting for its turns.

    Attributes:
        work: its turns.
    """

    work: Work
    _cost: Path

    @classmethod
    def start(cls, fleet: Fleet, items: list[dict[str, Any]], urgency: int) -> Direct:
        """Start one whose items are as urgent as that."""
        names = ("bodies", "warm", "go", "cost")
        files = {name: fleet.folder / f"{name}-{urgency}" for name in names}
        files["bodies"].write_text(json.dumps([[item["body"] for item in each] for each in (warming(items), items)]))
        settings = {name: str(file) for name, file in files.items()}
        process = fleet.spawn("benchmarks.job_speed:direct", {**settings, "urgency": str(urgency)})
        while not files["warm"].exists():
            if not process.alive:
                raise RuntimeError(f"the process without a queue ended; see {fleet.folder}")
            time.sleep(0.05)
        process.send(signal.SIGSTOP)
        files["go"].touch()
        return cls(Work([process], lambda: not process.alive), files["cost"])

    def cost(self) -> Cost:
        """Cost of the items, once the process has ended."""
        ended, cpu_seconds = json.loads(self._cost.read_text())
        return Cost(self.work.seconds(ended), cpu_seconds)


def _by_turns(fleet: Fleet, queue: QueueServer, items: list[dict[str, Any]]) -> tuple[Cost, Cost, Cost]:
    """The items without a queue, as urgent as those of a job and as urgent as requests, and as a job by one worker, the
    time of its queue on cores included."""
    assert queue.process is not None
    alike, requests = [Direct.start(fleet, items, each) for each in (URGENCY["bulk"], 0)]
    worker, server = fleet.start_worker(), Handle(queue.process.pid)
    fleet.wait_workers(1)
    _job_seconds(fleet, warming(items))
    before = worker.cpu_seconds + server.cpu_seconds
    job_id: str = fleet.submit(items)["id"]
    queued = Work([worker], lambda: fleet.job(job_id)["status"] == "completed")
    by_turns([queued, alike.work, requests.work])
    spent = worker.cpu_seconds + server.cpu_seconds - before
    fleet.stop_workers()
    job = fleet.job(job_id)
    if job["request_counts"]["completed"] != len(items):
        raise RuntimeError(json.dumps(job))
    accepted = max(0.0, queued.turns[0][0] - job["created_at"])
    return alike.cost(), requests.cost(), Cost(accepted + queued.seconds(job["completed_at"]), spent)


def _job_seconds(fleet: Fleet, items: list[dict[str, Any]]) -> float:
    """From the beginning of the first item to the end of the last.

    By the job's own clock, and polled as the client does at most: polls come out of the workers' time.
    """
    job = watch(fleet, fleet.submit(items), every=POLL_EVERY).job
    if job["request_counts"]["completed"] != len(items):
        raise RuntimeError(json.dumps(job))
    return float(job["completed_at"] - job["created_at"])


def overhead(fleet: Fleet, queue: QueueServer, count: int, chains: int, steps: int) -> dict[str, Any]:
    """Cost of a job of so many items against the same in one process without a queue, by turns.

    There are two figures: the items scheduled at the model as a job's are, which leaves the cost of the queue, and as
    requests are, which take turns so that a small one is not as slow as a large one beside it.
    """
    alone, requests, queued = _by_turns(fleet, queue, [sentences(item, chains, steps) for item in range(count)])
    return {
        "items": count,
        "chains": chains,
        "steps": steps,
        "seconds_without_queue": round(alone.seconds, 2),
        "seconds_as_a_job": round(queued.seconds, 2),
        "overhead": round(queued.seconds / alone.seconds - 1, 4),
        "seconds_as_requests": round(requests.seconds, 2),
        "against_requests": round(queued.seconds / requests.seconds - 1, 4),
        "cpu_seconds_without_queue": round(alone.cpu_seconds, 2),
        "cpu_seconds_as_a_job": round(queued.cpu_seconds, 2),
        "cpu_overhead": round(queued.cpu_seconds / alone.cpu_seconds - 1, 4),
    }


def scaling(fleet: Fleet, count: int, chains: int, steps: int, rounds: int = 3) -> dict[str, Any]:
    """One worker against two, each pinned to a core of its own and one thread, and against one with both cores and
    a thread for each; the least of each.

    Where other work takes part of the cores, the ratio of the clock's seconds is not that of free cores. What the
    workers themselves spend on cores tells it: ``ratio_on_free_cores`` is that of the busier of two to that of one.
    """
    items = [sentences(number, chains, steps) for number in range(count)]
    seconds: dict[int, list[float]] = {1: [], 2: []}
    busiest: dict[int, list[float]] = {1: [], 2: []}
    threaded: list[float] = []
    for _ in range(rounds):
        for workers in (1, 2):
            started = [fleet.start_worker(torch_threads="1") for _ in range(workers)]
            for core, worker in enumerate(started):
                os.sched_setaffinity(worker.pid, {core})
            fleet.wait_workers(workers)
            _job_seconds(fleet, items[:8])
            before = [worker.cpu_seconds for worker in started]
            seconds[workers].append(_job_seconds(fleet, items))
            busiest[workers].append(max(w.cpu_seconds - spent for w, spent in zip(started, before, strict=True)))
            fleet.stop_workers()
        fleet.start_worker(torch_threads="2")
        fleet.wait_workers(1)
        _job_seconds(fleet, items[:8])
        threaded.append(_job_seconds(fleet, items))
        fleet.stop_workers()
    return {
        "items": count,
        "chains": chains,
        "steps": steps,
        "seconds_one_worker": [round(each, 2) for each in seconds[1]],
        "seconds_two_workers": [round(each, 2) for each in seconds[2]],
        "seconds_one_worker_of_two_threads": [round(each, 2) for each in threaded],
        "ratio": round(min(seconds[2]) / min(seconds[1]), 3),
        "ratio_to_two_threads": round(min(seconds[2]) / min(threaded), 3),
        "cpu_seconds_of_one": [round(each, 2) for each in busiest[1]],
        "cpu_seconds_of_the_busier_of_two": [round(each, 2) for each in busiest[2]],
        "ratio_on_free_cores": round(min(busiest[2]) / min(busiest[1]), 3),
    }


def latency(fleet: Fleet, count: int) -> dict[str, Any]:
    """Seconds to submit a large job, to have it cancelled, and to have an answer over REST while it runs."""
    fleet.start_worker()
    fleet.wait_workers(1)
    items = [sentences(number, 8, 100) for number in range(count)]
    body = sentences(0, 2, 8)["body"]
    fleet.client.post("/v1/sentences", json=body).raise_for_status()
    began = time.perf_counter()
    job = fleet.submit(items)
    accepted = time.perf_counter() - began
    while fleet.job(job["id"])["status"] != "in_progress":
        time.sleep(0.05)
    time.sleep(2)
    began = time.perf_counter()
    fleet.client.delete(f"/v1/jobs/{job['id']}").raise_for_status()
    while fleet.job(job["id"])["status"] != "cancelled":
        time.sleep(0.02)
    cancelled = time.perf_counter() - began
    while any(worker["items_running"] for worker in fleet.alive()):
        time.sleep(0.02)
    stopped = time.perf_counter() - began
    return {
        "items": count,
        "accept_seconds": round(accepted, 2),
        "cancel_seconds": round(cancelled, 2),
        "work_stopped_seconds": round(stopped, 2),
    }


def before_bulk(fleet: Fleet, requests: int = 10) -> dict[str, Any]:
    """Seconds of a request over REST, with nothing beside it and beside a bulk job of the same service's worker."""
    body = sentences(0, 2, 8)["body"]

    def ask() -> float:
        began = time.perf_counter()
        response: httpx.Response = fleet.client.post("/v1/sentences", json=body)
        response.raise_for_status()
        return time.perf_counter() - began

    ask()
    alone = sorted(ask() for _ in range(requests))
    job = fleet.submit([sentences(number, 8, 200) for number in range(200)])
    while fleet.job(job["id"])["status"] != "in_progress":
        time.sleep(0.05)
    time.sleep(1)
    beside = sorted(ask() for _ in range(requests))
    fleet.client.delete(f"/v1/jobs/{job['id']}").raise_for_status()
    return {
        "seconds_alone_median": round(alone[requests // 2], 3),
        "seconds_beside_a_job_median": round(beside[requests // 2], 3),
        "seconds_beside_a_job_worst": round(beside[-1], 3),
    }
