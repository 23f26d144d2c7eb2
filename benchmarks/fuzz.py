"""Requests of every kind that people get wrong, sent to the real service: no 5xx, none over ten seconds.

    python -m benchmarks.fuzz [--requests 100000] [--side-by-side 2] [--seed 1] [--output benchmarks/fuzz.json]

Starts the service on a free loopback port with a tiny model of random weights, whose tokenizer spells by bytes as
the default model's does: what is tried here is what stands around the model.
"""

from __future__ import annotations

import argparse
import asyncio
import collections
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from benchmarks.fuzz_requests import FuzzedRequest, Fuzzer
from benchmarks.machine import machine, write

SLOW = 10.0
"""Seconds that no request may take."""


@dataclass
class Findings:
    """What the answers were."""

    statuses: collections.Counter[str] = field(default_factory=collections.Counter)
    failures: list[str] = field(default_factory=list)
    slowest: tuple[float, str] = (0.0, "")
    """Seconds and request."""
    longest: float = SLOW
    """Seconds that no request may take."""

    def add(self, request: FuzzedRequest, response: httpx.Response, seconds: float) -> None:
        """Take in an answer."""
        self.statuses[str(response.status_code)] += 1
        self.slowest = max(self.slowest, (seconds, repr(request)[:500]))
        if fault := fault_of(request, response):
            self.failures.append(f"{fault}: {request!r} -> {response.status_code} {response.text[:300]}"[:1500])
        elif seconds > self.longest:
            self.failures.append(f"{seconds:.1f} s: {request!r}"[:1500])


def fault_of(request: FuzzedRequest, response: httpx.Response) -> str | None:
    """What is wrong with an answer; None if nothing is."""
    if response.status_code >= 500:
        return "a failure of the service"
    if response.status_code < 400 or request.method == "HEAD":
        return None
    if response.headers.get("content-type") != "application/problem+json":
        return "no problem document"
    errors = response.json().get("errors") or [{}]
    if not all(error.get("code") and error.get("message") and error.get("remedy") for error in errors):
        return "a fault without code, message or remedy"
    return None


async def fuzz(url: str, count: int, seed: int, side_by_side: int = 8, longest: float = SLOW) -> Findings:
    """So many requests, some side by side, none longer than so many seconds."""
    fuzzer, findings = Fuzzer(seed), Findings(longest=longest)
    left = count

    async with httpx.AsyncClient(base_url=url, timeout=6 * longest, trust_env=False) as client:

        async def sender() -> None:
            nonlocal left
            while left > 0:
                left -= 1
                request = fuzzer.request()
                started = time.perf_counter()
                try:
                    response = await client.request(
                        request.method, request.path, content=request.body, headers=request.headers
                    )
                except httpx.TransportError as error:
                    findings.failures.append(f"no answer ({error!r}): {request!r}"[:1500])
                else:
                    findings.add(request, response, time.perf_counter() - started)

        await asyncio.gather(*(sender() for _ in range(side_by_side)))
    return findings


def main() -> None:
    """Run it."""
    from tests.support.service_process import service
    from tests.support.tiny_service import save_with_bytes

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--side-by-side", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("fuzz.json"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        with service(save_with_bytes(root / "model"), root, retrieval_adapter="none") as (process, url):
            started = time.perf_counter()
            findings = asyncio.run(fuzz(url, arguments.requests, arguments.seed, arguments.side_by_side))
            seconds = time.perf_counter() - started
            died = process.poll()
        tracebacks = (root / "log").read_text("utf-8", "replace").count("Traceback")
    result: dict[str, Any] = {
        "machine": machine(),
        "requests": arguments.requests,
        "side_by_side": arguments.side_by_side,
        "seed": arguments.seed,
        "seconds": seconds,
        "statuses": dict(sorted(findings.statuses.items())),
        "slowest_seconds": findings.slowest[0],
        "slowest_request": findings.slowest[1],
        "tracebacks": tracebacks,
        "exit_code_of_a_service_that_died": died,
        "failures": len(findings.failures),
        "examples": findings.failures[:20],
    }
    write(arguments.output, result)
    print({name: value for name, value in result.items() if name not in ("machine", "examples")})
    for failure in findings.failures[:20]:
        print(failure)


if __name__ == "__main__":
    main()
