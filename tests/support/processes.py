"""Processes that start within a second, to be killed at will."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


def free_port() -> int:
    """Unused TCP port of the loopback address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True)
class Handle:
    """Process that is not a child of this one."""

    pid: int

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        with suppress(psutil.NoSuchProcess):
            return bool(psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE)
        return False

    @property
    def cpu_seconds(self) -> float:
        """Time of its threads on cores: unlike seconds, the same on a busy machine."""
        times = psutil.Process(self.pid).cpu_times()
        return float(times.user + times.system)

    def send(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self, seconds: float) -> float:
        """Wait for its end; the seconds that took."""
        began = time.monotonic()
        while self.alive:
            if time.monotonic() - began > seconds:
                raise TimeoutError(f"process {self.pid} is still there after {seconds} s")
            time.sleep(0.01)
        return time.monotonic() - began


class Nursery:
    """Parent of processes, with everything imported; see :mod:`tests.support.nursery`."""

    def __init__(self, checkout: Path | None = None) -> None:
        """Start it, in another checkout of the project if one is given."""
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.nursery"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=checkout,
        )
        self._read()

    def spawn(self, call: str, settings: dict[str, str], log: Path, netns: str | None = None) -> Handle:
        """Start a process.

        Args:
            call: "module:function" that it runs.
            settings: environment variables without their prefix, CHAINWRIGHT_.
            log: where its output goes.
            netns: file of the network namespace that it lives in.
        """
        env = {f"CHAINWRIGHT_{name.upper()}": value for name, value in settings.items()}
        assert self._process.stdin is not None
        print(json.dumps({"call": call, "env": env, "log": str(log), "netns": netns}), file=self._process.stdin)
        self._process.stdin.flush()
        return Handle(int(self._read()))

    def close(self) -> None:
        """End it, and whatever it started."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(300)

    def _read(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline()
