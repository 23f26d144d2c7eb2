"""What Redis costs a request when it is well, slow, hung, away, or dies half-way.

    python -m benchmarks.redis_faults [--requests 60] [--output benchmarks/redis_faults.json]

Runs the same seeded requests under each condition, four at a time, with the score store's own
memory so small that Redis is asked all the time. The model's seconds vary more than Redis costs,
so what counts is the time that each request waited for the store, all its calls added up.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
import structlog
from rich.console import Console
from rich.table import Table

from app.embedded.process import find_server
from app.engine.admission import Admission
from app.engine.engine import Engine
from app.languages.registry import masks
from app.settings.settings import Settings
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.keywords.task import Sentences
from benchmarks.engine import SETS
from benchmarks.machine import machine, write
from models.language.loading import load
from models.language.scoring.batcher import Batcher
from models.scores.cache import ScoreCache

SIDE_BY_SIDE = 4
SAMPLER = {"kind": "annealing", "chains": 2, "steps": 12}


@dataclass
class Timed:
    """A score store that books what each request (each task) waits for it."""

    store: ScoreCache
    waits: dict[asyncio.Task[Any] | None, float] = field(default_factory=dict)

    async def get_many(self, keys: Sequence[bytes]) -> list[bytes | None]:
        """See :meth:`ScoreCache.get_many`."""
        started = time.perf_counter()
        try:
            return await self.store.get_many(keys)
        finally:
            task = asyncio.current_task()
            self.waits[task] = self.waits.get(task, 0.0) + time.perf_counter() - started

    def put_many(self, items: dict[bytes, bytes]) -> None:
        """See :meth:`ScoreCache.put_many`."""
        started = time.perf_counter()
        self.store.put_many(items)
        task = asyncio.current_task()
        self.waits[task] = self.waits.get(task, 0.0) + time.perf_counter() - started


@dataclass
class Server:
    """A Valkey server on a unix socket."""

    folder: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"unix://{self.folder / 's'}"

    def start(self) -> None:
        command = [str(find_server()), "--port", "0", "--unixsocket", str(self.folder / "s"), "--save", ""]
        self.process = subprocess.Popen([*command, "--dir", str(self.folder)], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(redis.RedisError), redis.Redis(unix_socket_path=str(self.folder / "s")) as client:
                if client.ping():
                    return
            time.sleep(0.01)
        raise RuntimeError("the server did not start")

    def send(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.send_signal(signal.SIGCONT)
            self.process.wait(10)
            self.process = None


@asynccontextmanager
async def slowed(server: Server, seconds: float) -> AsyncIterator[str]:
    """The URL of a proxy that holds every reply back."""

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, delay: float) -> None:
        with suppress(ConnectionError):
            while data := await source.read(1 << 16):
                await asyncio.sleep(delay)
                sink.write(data)
        sink.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        from_server, to_server = await asyncio.open_unix_connection(str(server.folder / "s"))
        await asyncio.gather(pump(reader, to_server, 0.0), pump(from_server, writer, seconds))

    proxy = await asyncio.start_server(relay, "127.0.0.1")
    try:
        yield f"redis://127.0.0.1:{proxy.sockets[0].getsockname()[1]}"
    finally:
        proxy.close()


async def nothing(done: Callable[[], int]) -> None:
    """No fault."""


async def measure(
    make_engine: Callable[[Any], Engine],
    url: str | None,
    requests: int,
    fault: Callable[[Callable[[], int]], Coroutine[Any, Any, None]] = nothing,
) -> tuple[dict[str, Any], list[list[str]]]:
    """Run the requests with a fresh store; figures, and the sentences."""
    store = await ScoreCache.open(2000, url)
    timed = Timed(store)
    engine = make_engine(timed)
    places = asyncio.Semaphore(SIDE_BY_SIDE)
    seconds: list[float] = []

    async def one(number: int) -> list[str]:
        async with places:
            started = time.perf_counter()
            request = {"keywords": SETS[number % len(SETS)][:2], "sampler": SAMPLER, "seed": number}
            answer = await Sentences().sampled(SentencesRequest.model_validate(request), engine)
            seconds.append(time.perf_counter() - started)
            return [sentence.text for sentence in answer.sentences]

    tasks = [asyncio.create_task(one(number)) for number in range(requests)]
    trouble = asyncio.create_task(fault(lambda: len(seconds)))
    texts = await asyncio.gather(*tasks)
    await trouble
    counters = store.counters
    await store.close()
    waits = sorted(timed.waits.get(task, 0.0) * 1000 for task in tasks)
    return {
        "request_seconds_median": statistics.median(seconds),
        "store_ms_median": statistics.median(waits),
        "store_ms_p99": waits[int(0.99 * (len(waits) - 1))],
        "store_ms_worst": waits[-1],
        "hits_remote": counters.hits_remote,
        "errors": counters.errors,
        "breaker_at_the_end": counters.breaker,
    }, texts


async def conditions(make_engine: Callable[[Any], Engine], requests: int, folder: Path) -> dict[str, Any]:
    """Every condition, the same requests in each."""
    server = Server(folder)
    results: dict[str, Any] = {}
    expected: list[list[list[str]]] = []

    async def run(name: str, url: str | None, **more: Any) -> None:
        results[name], texts = await measure(make_engine, url, requests, **more)
        expected.append(texts)
        results[name]["answers_as_without_redis"] = texts == expected[0]

    async def dies(done: Callable[[], int]) -> None:
        for share, act in (
            (0.2, lambda: server.send(signal.SIGSTOP)),
            (0.4, lambda: server.send(signal.SIGCONT)),
            (0.6, server.stop),
            (0.8, server.start),
        ):
            while done() < share * requests:
                await asyncio.sleep(0.01)
            await asyncio.to_thread(act)

    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    server.start()
    try:
        await run("no redis", None)
        await run("well", server.url)
        for milliseconds in (20, 80):
            async with slowed(server, milliseconds / 1000) as url:
                await run(f"answers after {milliseconds} ms", url)
        server.send(signal.SIGSTOP)
        await run("hung", server.url)
        server.send(signal.SIGCONT)
        await run("absent", f"redis://127.0.0.1:{port}")
        await run("hung, killed and restarted half-way", server.url, fault=dies)
    finally:
        server.stop()
    return results


def main(requests: int, output: Path) -> None:
    """Measure, print, write."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    where, settings = machine(), Settings()
    model = load(
        settings.model, cache=settings.cache_dir, progress=lambda what, share: None, masks=masks(settings.rules())
    )
    with ThreadPoolExecutor(1) as executor, tempfile.TemporaryDirectory(prefix="cw") as folder:

        def make_engine(store: Any) -> Engine:
            return Engine(settings, model, Batcher(executor), Admission(16, 1000), store)

        results = asyncio.run(conditions(make_engine, requests, Path(folder)))
    table = Table("Redis", "request, s", "store wait, ms: median", "p99", "worst", "hits", "same answers")
    for name, row in results.items():
        figures = (row["request_seconds_median"], row["store_ms_median"], row["store_ms_p99"], row["store_ms_worst"])
        table.add_row(
            name, *(f"{x:.2f}" for x in figures), str(row["hits_remote"]), str(row["answers_as_without_redis"])
        )
    Console().print(table)
    write(output, {"machine": where, "precision": model.precision, "requests": requests, "conditions": results})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("redis_faults.json"))
    arguments = parser.parse_args()
    main(arguments.requests, arguments.output)
