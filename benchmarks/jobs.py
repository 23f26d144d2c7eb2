"""Jobs: faults that must lose nothing, what the queue costs, and how workers add up.

python -m benchmarks.jobs chaos --tiny --items 2000
python -m benchmarks.jobs speed --items 1000
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.fleet import Fleet, QueueServer, fleet
from benchmarks.job_chaos import chaos
from benchmarks.job_items import build_index, mixed
from benchmarks.machine import machine, write
from benchmarks.processes import Nursery, free_port

TINY = {"device": "cpu", "precision": "float32", "offline": "true", "torch_threads": "1"}


@contextmanager
def bench(folder: Path, tiny: bool, **settings: str) -> Iterator[tuple[Fleet, QueueServer]]:
    """A queue's server and a service without a worker, its index built."""
    chosen = {"state_dir": str(folder / "state"), "redis_url": "off", **settings}
    if tiny:
        from tests.app.tiny import save

        model, keys = save(folder / "model"), save(folder / "keys", ["\n", "（", "）", "<", ">", *"气晴热后夜"])
        chosen |= {**TINY, "model": str(model), "retrieval_model": str(keys), "cache_dir": str(folder / "cache")}
    queue, nursery = QueueServer(folder / "queue", free_port()), Nursery()
    queue.start()
    try:
        with fleet(nursery, folder, {"queue_url": queue.url, **chosen}) as processes:
            processes.start_service(worker="off")
            processes.wait_ready()
            build_index(processes.client)
            yield processes, queue
    finally:
        nursery.close()
        queue.stop()


def main(what: str, items: int, tiny: bool, output: Path) -> None:
    """Measure, print, and write beside what was measured before."""
    results: dict[str, Any] = json.loads(output.read_text("utf-8")) if output.exists() else {}
    where = machine()
    with (
        tempfile.TemporaryDirectory(prefix="cw") as folder,
        bench(Path(folder), tiny, lease_seconds="3") as (processes, queue),
    ):
        if what == "chaos":
            result = chaos(processes, queue, mixed(items))
    results[what] = {"machine": where, "model": "tiny" if tiny else "default", **result}
    Console().print_json(data=results[what])
    write(output, results)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["chaos"])
    parser.add_argument("--items", type=int, default=2000)
    parser.add_argument("--tiny", action="store_true", help="a random model of two layers")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("jobs.json"))
    arguments = parser.parse_args()
    main(arguments.what, arguments.items, arguments.tiny, arguments.output)
