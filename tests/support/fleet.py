"""Queue server, service and workers as processes of their own, to be killed at will."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import redis

from app.embedded.process import find_server, spawn
from tests.support.processes import Handle, Nursery, free_port

READY_WITHIN = 300.0
"""Seconds that a process may take to load its model, on a busy machine."""


@dataclass
class QueueServer:
    """Server with an append-only file, on a port or, if 0, on a socket in the folder.

    Its executable is the one that the service would start, or that of the environment variable ``QUEUE_SERVER``:
    Debian's redis-server, say.
    """

    folder: Path
    port: int = 0
    address: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Address of the server."""
        return f"redis://{self.address}:{self.port}/0" if self.port else f"unix://{self.folder / 's'}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.folder.mkdir(parents=True, exist_ok=True)
        command = [
            os.environ.get("QUEUE_SERVER") or str(find_server()),
            "--port",
            str(self.port),
            "--unixsocket",
            str(self.folder / "s"),
        ]
        command += ["--dir", str(self.folder), "--save", "", "--appendonly", "yes", "--appendfsync", "always"]
        command += ["--bind", self.address, "--protected-mode", "no"]
        self.process = spawn(command, self.folder, self.folder / "server.log")
        deadline = time.monotonic() + 300
        with redis.Redis(unix_socket_path=str(self.folder / "s")) as client:
            while True:
                with suppress(redis.RedisError):
                    if client.ping():
                        return
                if time.monotonic() > deadline:
                    raise RuntimeError("the queue's server did not start")
                time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGKILL) -> None:
        """End it."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)
            self.process.wait(300)
            self.process = None


@dataclass
class Fleet:
    """Service and workers that share settings.

    Attributes:
        nursery: forks them.
        folder: for logs.
        settings: environment variables without their prefix.
        worker: entry function of a worker's process.
    """

    nursery: Nursery
    folder: Path
    settings: dict[str, str]
    worker: str = "tests.support.nursery:worker"
    workers: list[Handle] = field(default_factory=list)
    service: Handle | None = None
    port: int = field(default_factory=free_port)
    client: httpx.Client = field(init=False)
    _started: int = 0

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=300, trust_env=False)

    def spawn(self, call: str, more: dict[str, str], netns: str | None = None) -> Handle:
        """Start a process, its log in the folder."""
        self._started += 1
        return self.nursery.spawn(call, self.settings | more, self.folder / f"{self._started}.log", netns)

    def start_service(self, **more: str) -> None:
        """Start the service; see :meth:`wait_ready`."""
        self.service = self.spawn("tests.support.nursery:service", {"port": str(self.port), **more})

    def start_worker(self, netns: str | None = None, **more: str) -> Handle:
        """Start a worker."""
        worker = self.spawn(self.worker, more, netns)
        self.workers.append(worker)
        return worker

    def wait_ready(self) -> None:
        """Wait until the service has its model."""
        self._until(lambda: self._ready())

    def wait_workers(self, count: int) -> None:
        """Wait for the heartbeats of so many workers."""
        self._until(lambda: len(self.alive()) >= count)

    def alive(self) -> list[dict[str, Any]]:
        """Listed workers, their processes running."""
        running = {worker.pid for worker in self.workers if worker.alive}
        try:
            listed = self.client.get("/v1/workers").json().get("workers", [])
        except httpx.HTTPError:
            return []
        return [worker for worker in listed if worker["pid"] in running]

    def kill_one(self, rng: random.Random) -> Handle:
        """Kill a worker that runs, chosen at random."""
        victim = rng.choice([worker for worker in self.workers if worker.alive])
        victim.send(signal.SIGKILL)
        victim.wait(300)
        self.workers.remove(victim)
        return victim

    def stop_workers(self) -> None:
        """End the workers."""
        _end(self.workers)
        self.workers = []

    def stop(self) -> None:
        """End all."""
        _end([*self.workers, *([self.service] if self.service is not None else [])])
        self.workers, self.service = [], None
        self.client.close()

    def submit(self, items: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        """Submit a job; its object."""
        response = self.client.post("/v1/jobs", json={"items": items, **more})
        if response.status_code != 202:
            raise RuntimeError(response.text[:2000])
        job: dict[str, Any] = response.json()
        return job

    def job(self, job_id: str) -> dict[str, Any]:
        """Job of an id; retried while the service or its queue is away."""
        while True:
            with suppress(httpx.HTTPError):
                response = self.client.get(f"/v1/jobs/{job_id}")
                if response.status_code == 200:
                    job: dict[str, Any] = response.json()
                    return job
            time.sleep(0.2)

    def lines(self, job_id: str, kind: str = "results") -> list[str]:
        """All lines of results or errors."""
        response = self.client.get(f"/v1/jobs/{job_id}/{kind}", params={"download": "true"})
        response.raise_for_status()
        return response.text.splitlines()

    def _ready(self) -> bool:
        if self.service is not None and not self.service.alive:
            raise RuntimeError(f"the service ended; see {self.folder}")
        with suppress(httpx.HTTPError):
            return self.client.get("/ready").status_code == 200
        return False

    def _until(self, condition: Any) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while not condition():
            if time.monotonic() > deadline:
                raise RuntimeError(f"not ready in time; see {self.folder}")
            time.sleep(0.1)


def _end(running: list[Handle]) -> None:
    for process in running:
        process.send(signal.SIGCONT)
        process.send(signal.SIGTERM)
    for process in running:
        try:
            process.wait(20)
        except TimeoutError:
            process.send(signal.SIGKILL)


@contextmanager
def open_fleet(nursery: Nursery, folder: Path, settings: dict[str, str], **more: Any) -> Iterator[Fleet]:
    """Processes that end with the context."""
    folder.mkdir(parents=True, exist_ok=True)
    processes = Fleet(nursery, folder, settings, **more)
    try:
        yield processes
    finally:
        processes.stop()
