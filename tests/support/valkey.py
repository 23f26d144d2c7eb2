"""Real servers to test against: Valkey, and some that misbehave."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import redis

from app.embedded.process import find_server


@dataclass
class Valkey:
    """A server on a unix socket in a folder."""

    folder: Path
    options: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] | None = None
    client: redis.Redis = field(init=False)

    def __post_init__(self) -> None:
        self.client = redis.Redis(unix_socket_path=str(self.socket))

    @property
    def socket(self) -> Path:
        return self.folder / "s"

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def start(self) -> None:
        command = [str(find_server()), "--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder)]
        self.process = subprocess.Popen(
            [*command, "--save", "300 1", "--loglevel", "warning", *self.options], stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + 300
        while True:
            with suppress(redis.RedisError):
                if self.client.ping():
                    return
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.send_signal(signal.SIGCONT)
            self.process.wait(60)
            self.process = None

    def calls(self, command: str) -> int:
        """How often a command was called."""
        stats = self.client.info("commandstats")
        return int(stats.get(f"cmdstat_{command}", {"calls": 0})["calls"])


@asynccontextmanager
async def listening(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """The URL of a server that treats connections as told."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.CancelledError, asyncio.IncompleteReadError):
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"redis://127.0.0.1:{port}"
    finally:
        server.close()


@asynccontextmanager
async def slowed(socket: Path, delay: list[float]) -> AsyncIterator[str]:
    """A proxy that holds every reply back for delay[0] seconds."""

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_server, from_server = await asyncio.open_unix_connection(str(socket)), None
        from_server, sink = to_server

        async def replies() -> None:
            while data := await from_server.read(1 << 16):
                await asyncio.sleep(delay[0])
                writer.write(data)

        task = asyncio.create_task(replies())
        try:
            while data := await reader.read(1 << 16):
                sink.write(data)
        finally:
            task.cancel()
            sink.close()

    async with listening(relay) as url:
        yield url
