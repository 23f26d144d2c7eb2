"""The real command `chainwright serve` in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent.parent


@contextmanager
def service(
    model: Path, folder: Path, address: str | None = None, module: str = "app.cli.entry", **settings: str
) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """The process and its URL, once ready; killed at the end if it still runs.

    Args:
        model: folder of the model.
        folder: for cache, state and log.
        address: where it listens, if host and port are among the settings.
        module: whose ``main`` is the command.
        settings: variables without their prefix, in lower case.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    values = {
        "model": str(model),
        "device": "cpu",
        "precision": "float32",
        "offline": "true",
        "cache_dir": str(folder / "cache"),
        "state_dir": str(folder / "state"),
        "redis_url": "off",
        "torch_threads": "1",
        "port": str(port),
        **settings,
    }
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CHAINWRIGHT_")}
    environment |= {f"CHAINWRIGHT_{name.upper()}": value for name, value in values.items()}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", module, "serve"], cwd=ROOT, env=environment, stderr=log)
        try:
            url = address or f"http://127.0.0.1:{port}"
            deadline = time.monotonic() + 300
            while not ready(url):
                assert process.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.1)
            yield process, url
        finally:
            process.kill()
            process.wait()


def ready(url: str) -> bool:
    """Whether the service takes requests."""
    try:
        return httpx.get(f"{url}/ready", trust_env=False, timeout=5).status_code == 200
    except httpx.TransportError:
        return False
