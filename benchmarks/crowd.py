"""500 clients at once, then 100 that leave half-way: who is answered, and what stays behind.

    python -m benchmarks.crowd [--clients 500] [--leavers 100] [--output benchmarks/crowd.json]

Starts the real service with its default limits on a free loopback port.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from benchmarks.engine import body, metric, service
from benchmarks.machine import machine, write

SMALL = {"kind": "annealing", "chains": 2, "steps": 10}
LONG = {"kind": "annealing", "chains": 4, "steps": 400}
LINES_READ = 7
"""Lines of the event stream after which a client leaves: some two events."""


async def crowd(url: str, clients: int) -> dict[str, Any]:
    """So many requests at once, none repeated."""
    async with _client(url, clients) as client:

        async def one(number: int) -> tuple[str, bool]:
            response = await client.post("/v1/sentences", json=body(number, SMALL))
            return str(response.status_code), "retry-after" in response.headers

        started = time.perf_counter()
        answers = await asyncio.gather(*(one(number) for number in range(clients)))
    refused = [told for status, told in answers if status == "429"]
    return {
        "clients": clients,
        "seconds": time.perf_counter() - started,
        "status": dict(collections.Counter(status for status, _ in answers)),
        "every_429_has_retry_after": all(refused),
    }


async def leave(url: str, clients: int) -> dict[str, Any]:
    """So many streaming clients that go after some lines; how soon nothing of theirs runs."""
    async with _client(url, clients) as client:

        async def one(number: int) -> str:
            request = body(number, LONG) | {"stream": True}
            async with client.stream("POST", "/v1/sentences", json=request) as response:
                if response.status_code != 200:
                    return str(response.status_code)
                lines = 0
                async for _ in response.aiter_lines():
                    lines += 1
                    if lines == LINES_READ:
                        return "left"
                return "ended"

        how = await asyncio.gather(*(one(10_000 + number) for number in range(clients)))
    started = time.perf_counter()
    while (present := metric(url, "chainwright_requests_present")) and time.perf_counter() - started < 60:
        await asyncio.sleep(0.05)
    return {
        "clients": clients,
        "how": dict(collections.Counter(how)),
        "present_at_the_end": present,
        "seconds_until_none_is_present": time.perf_counter() - started,
    }


def _client(url: str, clients: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, timeout=600, limits=httpx.Limits(max_connections=clients))


def resident(url: str) -> float:
    """MiB of the service's process, the one that listens on the URL's port."""
    port = int(url.rsplit(":", 1)[1])
    owner = next(
        one.pid for one in psutil.net_connections("tcp") if one.status == psutil.CONN_LISTEN and one.laddr.port == port
    )
    return float(psutil.Process(owner).memory_info().rss) / 2**20


def main(clients: int, leavers: int, output: Path) -> None:
    """Measure, print, write."""
    where = machine()
    with tempfile.TemporaryDirectory(prefix="cw") as folder, service(Path(folder)) as url:
        asyncio.run(crowd(url, 40))  # memory as it is under load, before the crowd
        before = resident(url)
        result: dict[str, Any] = {"crowd": asyncio.run(crowd(url, clients))}
        result["leavers"] = asyncio.run(leave(url, leavers))
        time.sleep(3)
        result["memory_mib"] = {"before": before, "after": resident(url)}
        result["memory_ratio"] = result["memory_mib"]["after"] / before
        status = httpx.post(f"{url}/v1/sentences", json=body(1, SMALL), timeout=60).status_code
        result["a_request_after_it_all"] = status
    print(result)
    write(output, {"machine": where, **result})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=500)
    parser.add_argument("--leavers", type=int, default=100)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("crowd.json"))
    arguments = parser.parse_args()
    main(arguments.clients, arguments.leavers, arguments.output)
