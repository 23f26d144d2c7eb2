"""Gain of a rule of the queue: the same job under this checkout, which has it, and a plain one, by turns.

python -m benchmarks.job_versions NAME ../plain      # figures go to benchmarks/gates.json under NAME
"""

from __future__ import annotations

import argparse
import json
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks.job_speed import Cost, warming
from benchmarks.jobs import bench
from benchmarks.machine import machine, write
from benchmarks.turns import Work, by_turns
from tests.support.fleet import Fleet, QueueServer
from tests.support.job_chaos import chaos, watch
from tests.support.job_items import mixed, sentences
from tests.support.processes import Handle


@dataclass(eq=False)
class Contender:
    """A checkout's workers with a job of their own."""

    fleet: Fleet
    queue: QueueServer
    job_id: str = ""
    before: float = 0.0

    def prepare(self, items: list[dict[str, Any]], workers: int) -> Work:
        """Start warm workers and submit the items; the work is to be done by turns."""
        for _ in range(workers):
            self.fleet.start_worker()
        self.fleet.wait_workers(workers)
        watch(self.fleet, self.fleet.submit(warming(items, workers)))
        self.before = self._cpu_seconds()
        self.job_id = self.fleet.submit(items)["id"]
        return Work(list(self.fleet.workers), lambda: self.fleet.job(self.job_id)["status"] == "completed")

    def cost(self, work: Work, count: int) -> Cost:
        """Cost of the items; ends the workers."""
        spent = self._cpu_seconds() - self.before
        self.fleet.stop_workers()
        job = self.fleet.job(self.job_id)
        if job["request_counts"]["completed"] != count:
            raise RuntimeError(json.dumps(job))
        return Cost(max(0.0, work.turns[0][0] - job["created_at"]) + work.seconds(job["completed_at"]), spent)

    def _cpu_seconds(self) -> float:
        assert self.queue.process is not None
        return sum(each.cpu_seconds for each in (*self.fleet.workers, Handle(self.queue.process.pid)))


def compare(plain: Path, count: int, chains: int, steps: int, workers: int, rounds: int) -> dict[str, Any]:
    """Seconds and seconds on cores (workers and queue's server) of both, and the ratio of the plain one's median."""
    items = [sentences(number, chains, steps) for number in range(count)]
    costs: dict[str, list[Cost]] = {"with_rule": [], "plain": []}
    with tempfile.TemporaryDirectory(prefix="cw") as folder, ExitStack() as stack:
        checkouts = {"with_rule": None, "plain": plain.resolve()}
        contenders = {
            name: Contender(*stack.enter_context(bench(Path(folder) / name, True, checkout=checkout)))
            for name, checkout in checkouts.items()
        }
        for _ in range(rounds):
            works = {name: each.prepare(items, workers) for name, each in contenders.items()}
            by_turns(list(works.values()))
            for name, work in works.items():
                costs[name].append(contenders[name].cost(work, count))
    figures: dict[str, Any] = {"items": count, "chains": chains, "steps": steps, "workers": workers}
    for what in ("seconds", "cpu_seconds"):
        both = {name: [getattr(cost, what) for cost in each] for name, each in costs.items()}
        figures[what] = {name: [round(value, 2) for value in values] for name, values in both.items()}
        figures[f"{what}_plain_to_rule"] = round(median(both["plain"]) / median(both["with_rule"]), 3)
    return figures


def compare_chaos(plain: Path, count: int, chains: int, steps: int, kill_every: float) -> dict[str, Any]:
    """Items wrongly parked while three workers are killed in turn; see :func:`tests.support.job_chaos.chaos`."""
    items = mixed(count, chains, steps)
    figures: dict[str, Any] = {"items": count, "chains": chains, "steps": steps, "kill_every_seconds": kill_every}
    for name, checkout in {"with_rule": None, "plain": plain.resolve()}.items():
        with (
            tempfile.TemporaryDirectory(prefix="cw") as folder,
            bench(Path(folder), True, checkout=checkout, lease_seconds="1") as (fleet, queue),
        ):
            found = chaos(fleet, queue, items, kill_every=kill_every)
        figures[name] = {each: found[each] for each in ("workers_killed", "errors", "lost", "doubled")}
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", help="of the figures")
    parser.add_argument("plain", type=Path, help="the other checkout, its compiled layers built")
    parser.add_argument("--items", type=int, default=1000)
    parser.add_argument("--chains", type=int, default=2)
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kill-every", type=float, help="seconds: count items wrongly parked under chaos instead")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("gates.json"))
    given = parser.parse_args()
    where = machine()
    if given.kill_every:
        found = compare_chaos(given.plain, given.items, given.chains, given.steps, given.kill_every)
    else:
        found = compare(given.plain, given.items, given.chains, given.steps, given.workers, given.rounds)
    results = json.loads(given.output.read_text("utf-8")) if given.output.exists() else {}
    results[given.name] = {"machine": where, "model": "tiny", **found}
    Console().print_json(data=results[given.name])
    write(given.output, results)
