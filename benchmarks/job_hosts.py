"""Two hosts on one queue, made of network namespaces with an address each; one is cut off on the way."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.fleet import Fleet
from tests.support.job_chaos import Watched, compare, watch
from tests.support.job_items import essences

NETWORK = "10.87.41"
HOSTS = ("a", "b")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@contextmanager
def hosts() -> Iterator[dict[str, Path]]:
    """Two namespaces joined to this one by a bridge: their files.

    This one has the address 10.87.41.1, where a queue's server must listen. Needs root.
    """
    tag = f"cw{os.getpid() % 10_000}"
    names = {host: f"{tag}{host}" for host in HOSTS}
    bridge = f"{tag}br"
    try:
        _ip("link", "add", bridge, "type", "bridge")
        _ip("addr", "add", f"{NETWORK}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        for number, name in enumerate(names.values(), 2):
            _ip("netns", "add", name)
            _ip("link", "add", f"{name}o", "type", "veth", "peer", "name", f"{name}i")
            _ip("link", "set", f"{name}o", "master", bridge, "up")
            _ip("link", "set", f"{name}i", "netns", name)
            _ip("-n", name, "addr", "add", f"{NETWORK}.{number}/24", "dev", f"{name}i")
            _ip("-n", name, "link", "set", f"{name}i", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield {host: Path("/run/netns") / name for host, name in names.items()}
    finally:
        for name in names.values():
            subprocess.run(["ip", "netns", "del", name], check=False, capture_output=True)
            subprocess.run(["ip", "link", "del", f"{name}o"], check=False, capture_output=True)
        subprocess.run(["ip", "link", "del", bridge], check=False, capture_output=True)


def cut(namespace: Path, off: bool) -> None:
    """Cut a host off from the others, or join it again: its packets are lost without an error."""
    _ip("link", "set", f"{namespace.name}o", "down" if off else "up")


def shared(
    fleet: Fleet, namespaces: Mapping[str, Path], items: list[dict[str, Any]], cut_seconds: float = 8.0
) -> dict[str, Any]:
    """Figures of a job in a quiet run, and on two hosts of which one is cut off for a while."""
    fleet.start_worker()
    fleet.wait_workers(1)
    quiet = watch(fleet, fleet.submit(items))
    expected = essences(fleet.lines(quiet.job["id"]))
    fleet.stop_workers()
    pids = {host: fleet.start_worker(str(namespace)).pid for host, namespace in namespaces.items()}
    fleet.wait_workers(2)
    done: dict[str, dict[str, int]] = {}
    times: list[float] = []

    def tally() -> dict[str, int]:
        by_pid = {worker["pid"]: worker["items_done"] for worker in fleet.alive()}
        return {host: by_pid[pid] for host, pid in pids.items() if pid in by_pid}

    def meanwhile(seen: Watched) -> None:
        if not times and seen.done >= len(items) // 4:
            done["before_the_cut"] = tally()
            cut(namespaces["b"], True)
            times.append(time.monotonic())
        elif len(times) == 1 and time.monotonic() - times[0] > cut_seconds:
            cut(namespaces["b"], False)
            times.append(time.monotonic())
        elif len(times) == 2 and "back" not in done and len(tally()) == 2:
            done["back"] = tally()
            times.append(time.monotonic())

    seen = watch(fleet, fleet.submit(items), meanwhile)
    time.sleep(3)  # for the last heartbeats
    done["at_the_end"] = tally()
    return {
        "items": len(items),
        "cut_seconds": cut_seconds,
        "seconds_until_back": round(times[2] - times[1], 1) if len(times) == 3 else None,
        "seconds": round(seen.seconds, 1),
        "quiet_seconds": round(quiet.seconds, 1),
        "items_done_by_host": done,
        "status": seen.job["status"],
        "wrong_polls": len(seen.wrong),
        **compare(fleet, seen.job["id"], items, expected),
    }
