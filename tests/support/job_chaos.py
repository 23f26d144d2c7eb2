"""Job whose workers are killed at random and whose queue server is restarted, against a quiet run."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.support.fleet import Fleet, QueueServer
from tests.support.job_items import alike, essences

ENDED = ("completed", "failed", "cancelled", "expired")


@dataclass
class Watched:
    """Job that is polled to its end.

    Attributes:
        job: as last seen.
        seconds: from the first poll to the end.
        wrong: polls whose counts went back, exceeded the total, or disagreed with the status.
        polls: how many there were.
    """

    job: dict[str, Any]
    seconds: float = 0.0
    wrong: list[dict[str, Any]] = field(default_factory=list)
    polls: int = 0

    @property
    def done(self) -> int:
        """Items with a result or an error."""
        counts = self.job["request_counts"]
        return int(counts["completed"] + counts["failed"])


def watch(
    fleet: Fleet, job: dict[str, Any], meanwhile: Callable[[Watched], None] = lambda seen: None, every: float = 0.1
) -> Watched:
    """Poll a job to its end, looking at every poll, so many seconds apart, whether its counts can be true."""
    seen = Watched(job)
    began = time.monotonic()
    while seen.job["status"] not in ENDED:
        before = seen.done
        seen.job = fleet.job(job["id"])
        seen.polls += 1
        total = seen.job["request_counts"]["total"]
        full = seen.job["status"] in ("finalizing", "completed")
        if not before <= seen.done <= total or (full and seen.done != total):
            seen.wrong.append(seen.job)
        meanwhile(seen)
        time.sleep(every)
    seen.seconds = time.monotonic() - began
    return seen


@dataclass
class Chaos:
    """Killer of workers, every so many seconds and when so many items are done, each with a successor, and of the
    queue server once."""

    fleet: Fleet
    queue: QueueServer
    kill_every: float
    restart_at: int
    kill_at: list[int] = field(default_factory=list)
    rng: random.Random = field(default_factory=lambda: random.Random(0))
    kills: int = 0
    restarts: int = 0
    _due: float = field(default_factory=time.monotonic)

    def __call__(self, seen: Watched) -> None:
        """Kill what is due."""
        reached = bool(self.kill_at) and seen.done >= self.kill_at[0]
        if reached or time.monotonic() >= self._due + self.kill_every:
            self._due = time.monotonic()
            del self.kill_at[:reached]
            self.fleet.kill_one(self.rng)
            self.fleet.start_worker()
            self.kills += 1
        if not self.restarts and seen.done >= self.restart_at:
            self.queue.stop()
            time.sleep(1.0)
            self.queue.start()
            self.restarts += 1


def compare(fleet: Fleet, job_id: str, items: list[dict[str, Any]], expected: dict[str, Any]) -> dict[str, Any]:
    """Differences of a job's results from those expected."""
    lines = fleet.lines(job_id)
    names = [json.loads(line)["custom_id"] for line in lines]
    wanted = [item["custom_id"] for item in items]
    found = essences(lines)
    differing = [name for name in wanted if not alike(found.get(name), expected[name])]
    return {
        "lost": len(set(wanted) - set(names)),
        "doubled": len(names) - len(set(names)),
        "in_order": names == wanted,
        "errors": len(fleet.lines(job_id, "errors")),
        "differing": len(differing),
        "differ": {name: [expected[name], found.get(name)] for name in differing[:3]},
    }


def poison(fleet: Fleet, items: list[dict[str, Any]], number: int, bad: dict[str, Any]) -> dict[str, Any]:
    """Figures of a job with an item that kills its worker, which has a successor each time."""
    given = [*items[:number], {**bad, "custom_id": "poison"}, *items[number + 1 :]]
    deaths = 0

    def replace(seen: Watched) -> None:
        nonlocal deaths
        for dead in [worker for worker in fleet.workers if not worker.alive]:
            fleet.workers.remove(dead)
            deaths += 1
        if not fleet.workers:
            fleet.start_worker()

    seen = watch(fleet, fleet.submit(given), replace)
    return {
        "items": len(given),
        "workers_that_died": deaths,
        "seconds": round(seen.seconds, 1),
        "status": seen.job["status"],
        "request_counts": seen.job["request_counts"],
        "wrong_polls": len(seen.wrong),
        "errors": [json.loads(line) for line in fleet.lines(seen.job["id"], "errors")],
    }


def chaos(
    fleet: Fleet,
    queue: QueueServer,
    items: list[dict[str, Any]],
    workers: int = 3,
    kill_every: float = 5.0,
    kill_at: Sequence[int] = (),
) -> dict[str, Any]:
    """Figures of a job in a quiet run with one worker, and with several that are killed."""
    fleet.start_worker()
    fleet.wait_workers(1)
    quiet = watch(fleet, fleet.submit(items))
    expected = essences(fleet.lines(quiet.job["id"]))
    while len(fleet.workers) < workers:
        fleet.start_worker()
    fleet.wait_workers(workers)
    trouble = Chaos(fleet, queue, kill_every, len(items) // 3, list(kill_at))
    seen = watch(fleet, fleet.submit(items), trouble)
    return {
        "items": len(items),
        "workers": workers,
        "kill_every_seconds": kill_every,
        "workers_killed": trouble.kills,
        "queue_restarts": trouble.restarts,
        "seconds": round(seen.seconds, 1),
        "quiet_seconds": round(quiet.seconds, 1),
        "status": seen.job["status"],
        "request_counts": seen.job["request_counts"],
        "polls": seen.polls,
        "wrong_polls": len(seen.wrong) + len(quiet.wrong),
        **compare(fleet, seen.job["id"], items, expected),
    }
