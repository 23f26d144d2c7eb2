"""Jobs: faults that must lose nothing, what the queue costs, and how workers add up.

python -m benchmarks.jobs chaos --tiny
python -m benchmarks.jobs poison --tiny
python -m benchmarks.jobs hosts --tiny    # needs root
python -m benchmarks.jobs overhead
python -m benchmarks.jobs scaling
python -m benchmarks.jobs latency

QUEUE_SERVER=/usr/bin/redis-server runs them on another server than the one that the service brings along.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from app.embedded.process import find_server
from benchmarks.job_hosts import NETWORK, hosts, shared
from benchmarks.job_speed import before_bulk, latency, overhead, scaling
from benchmarks.machine import machine, write
from tests.support.fleet import Fleet, QueueServer, open_fleet
from tests.support.job_chaos import chaos, poison
from tests.support.job_items import build_index, mixed
from tests.support.processes import Nursery, free_port

TINY = {"device": "cpu", "precision": "float32", "offline": "true", "torch_threads": "1"}


@contextmanager
def bench(
    folder: Path, tiny: bool, address: str = "127.0.0.1", checkout: Path | None = None, **settings: str
) -> Iterator[tuple[Fleet, QueueServer]]:
    """A queue's server and a service, of this checkout unless another is given and without a worker unless set
    otherwise, its index built."""
    chosen = {"state_dir": str(folder / "state"), "redis_url": "off", **settings}
    if tiny:
        from tests.support.tiny_service import save

        model, keys = save(folder / "model"), save(folder / "keys", ["\n", "（", "）", "<", ">", *"气晴热后夜"])
        chosen |= {**TINY, "model": str(model), "retrieval_model": str(keys), "cache_dir": str(folder / "cache")}
    queue, nursery = QueueServer(folder / "queue", free_port(), address), Nursery(checkout)
    queue.start()
    try:
        with open_fleet(nursery, folder, {"queue_url": queue.url, **chosen}) as processes:
            processes.start_service(**{"worker": "off", **settings})
            processes.wait_ready()
            build_index(processes.client)
            yield processes, queue
    finally:
        nursery.close()
        queue.stop()


def run_chaos(folder: Path, tiny: bool, items: int, steps: int) -> dict[str, Any]:
    """See :func:`tests.support.job_chaos.chaos`."""
    with bench(folder, tiny, lease_seconds="3") as (processes, queue):
        return chaos(processes, queue, mixed(items, steps=steps))


def run_poison(folder: Path, tiny: bool, items: int, steps: int) -> dict[str, Any]:
    """See :func:`tests.support.job_chaos.poison`; the worker that dies of a keyword belongs to the tests."""
    from tests.app.jobs.poisoned import POISON

    with bench(folder, tiny, lease_seconds="3") as (processes, _):
        processes.worker = "tests.app.jobs.poisoned:worker"
        bad = {"url": "/v1/sentences", "body": {"keywords": [POISON]}}
        return poison(processes, mixed(items, steps=steps), items // 3, bad)


def run_hosts(folder: Path, tiny: bool, items: int, steps: int) -> dict[str, Any]:
    """See :func:`benchmarks.job_hosts.shared`."""
    with hosts() as namespaces, bench(folder, tiny, f"{NETWORK}.1", lease_seconds="3") as (processes, _):
        return shared(processes, namespaces, mixed(items, steps=steps))


def run_overhead(folder: Path, tiny: bool, items: int, steps: int) -> dict[str, Any]:
    """See :func:`benchmarks.job_speed.overhead`."""
    with bench(folder, tiny) as (processes, queue):
        return overhead(processes, queue, items, 2, steps)


def run_scaling(folder: Path, tiny: bool, items: int, steps: int) -> dict[str, Any]:
    """See :func:`benchmarks.job_speed.scaling`."""
    with bench(folder, tiny) as (processes, _):
        return scaling(processes, items, 2, steps)


def run_latency(folder: Path, tiny: bool, items: int, steps: int) -> dict[str, Any]:
    """See :func:`benchmarks.job_speed.latency` and :func:`benchmarks.job_speed.before_bulk`."""
    with bench(folder / "apart", tiny) as (processes, _):
        apart = latency(processes, items)
    with bench(folder / "inside", tiny, worker="on") as (processes, _):
        return {**apart, "rest": before_bulk(processes)}


RUNS: dict[str, Callable[[Path, bool, int, int], dict[str, Any]]] = {
    "chaos": run_chaos,
    "poison": run_poison,
    "hosts": run_hosts,
    "overhead": run_overhead,
    "scaling": run_scaling,
    "latency": run_latency,
}
ITEMS = {"chaos": 2000, "poison": 1000, "hosts": 600, "overhead": 1000, "scaling": 200, "latency": 10_000}


def main(what: str, items: int | None, steps: int, tiny: bool, output: Path) -> None:
    """Measure, print, and write beside what was measured before."""
    results: dict[str, Any] = json.loads(output.read_text("utf-8")) if output.exists() else {}
    where = machine()
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        result = RUNS[what](Path(folder), tiny, items or ITEMS[what], steps)
    server = Path(os.environ.get("QUEUE_SERVER") or str(find_server())).name
    results[what] = {"machine": where, "model": "tiny" if tiny else "default", "queue_server": server, **result}
    Console().print_json(data=results[what])
    write(output, results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=list(RUNS))
    parser.add_argument("--items", type=int, help="of the job")
    parser.add_argument("--steps", type=int, default=8, help="of each item's two chains")
    parser.add_argument("--tiny", action="store_true", help="a random model of two layers")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("jobs.json"))
    arguments = parser.parse_args()
    main(arguments.what, arguments.items, arguments.steps, arguments.tiny, arguments.output)
