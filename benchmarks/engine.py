"""The service under load against the bare model: tokens a second, requests a second, cold and warm cache.

    python -m benchmarks.engine [--output benchmarks/engine.json]

One run on one machine; ratios count. Starts the real service on a free loopback port, with its own
embedded Valkey server in a folder of its own. What Redis costs is in benchmarks/redis_faults.py, what
a crowd of clients does in benchmarks/crowd.py.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM

from app.settings.settings import Settings
from benchmarks.machine import machine, write
from benchmarks.plain import plain
from models.language.default_weights import default_weights

SETS = [
    ["今天", "公园", "散步"],
    ["孩子", "学校", "老师"],
    ["经济", "发展", "城市"],
    ["音乐", "朋友", "晚上"],
    ["医生", "病人", "医院"],
    ["春天", "花园", "美丽"],
    ["公司", "产品", "市场"],
    ["旅游", "风景", "照片"],
    ["问题", "解决", "方法"],
    ["电影", "故事", "感动"],
    ["科学", "研究", "结果"],
    ["时间", "工作", "效率"],
    ["健康", "运动", "饮食"],
    ["历史", "文化", "传统"],
    ["天气", "温度", "下雨"],
    ["手机", "信息", "安全"],
]
SMALL = {"kind": "annealing", "chains": 4, "steps": 40}
CHAINS, STEPS = 16, 200
ALLOWED = 12_700
"""About as many tokens as the Chinese mask has."""
LARGE = {"kind": "annealing", "chains": CHAINS, "steps": STEPS}
LONG = LARGE | {"steps": 6 * STEPS}


@contextmanager
def service(state: Path, **settings: str) -> Iterator[str]:
    """The real service in a process of its own; its URL."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {"CHAINWRIGHT_PORT": str(port), "CHAINWRIGHT_STATE_DIR": str(state)} | settings
    command = [sys.executable, "-m", "app.cli.entry", "serve"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + 120
            while not _ready(url):
                assert process.poll() is None and time.monotonic() < deadline, "the service did not start"
                time.sleep(0.1)
            yield url
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(30)


def _ready(url: str) -> bool:
    try:
        return httpx.get(f"{url}/ready", timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def body(number: int, sampler: dict[str, Any]) -> dict[str, Any]:
    """The number-th request: another set and another seed each."""
    return {"keywords": SETS[number % len(SETS)], "sampler": sampler, "seed": number}


async def ask(client: httpx.AsyncClient, request: dict[str, Any]) -> tuple[float, dict[str, Any]]:
    """Seconds and answer; asks again when told to wait."""
    started = time.perf_counter()
    while True:
        response = await client.post("/v1/sentences", json=request)
        if response.status_code != 429:
            response.raise_for_status()
            return time.perf_counter() - started, response.json()
        await asyncio.sleep(float(response.headers["Retry-After"]))


async def together(url: str, requests: list[dict[str, Any]], clients: int) -> tuple[float, list[tuple[float, Any]]]:
    """Wall seconds, and each request's, with so many clients that send one request after the other."""
    waiting = iter(requests)
    done: list[tuple[float, Any]] = []
    limits = httpx.Limits(max_connections=clients)
    async with httpx.AsyncClient(base_url=url, timeout=600, limits=limits) as client:

        async def one() -> None:
            done.extend([await ask(client, request) for request in waiting])

        started = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(clients)))
        return time.perf_counter() - started, done


def metric(url: str, name: str, labels: str = "") -> float:
    """A number from /metrics; the sum over label sets that hold ``labels``."""
    lines = httpx.get(f"{url}/metrics", timeout=30).text.splitlines()
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in lines if line.split("{")[0].split(" ")[0] == name and labels in line
    )


def within_a_run(url: str) -> dict[str, Any]:
    """16 chains by 200 steps for three keywords: useful tokens a second, and the share of time in the model."""
    runs = []
    for number in range(3):
        names = (
            "chainwright_batch_duration_seconds_sum",
            "chainwright_lm_tokens_total",
            "chainwright_scored_tokens_total",
        )
        before = [metric(url, name) for name in names]
        seconds, answers = asyncio.run(together(url, [body(number, LARGE)], 1))
        busy, fed, scored = (metric(url, name) - old for name, old in zip(names, before, strict=True))
        answer = answers[0][1]
        runs.append(
            {
                "keywords": SETS[number],
                "seconds": seconds,
                "fed_tokens_per_second": fed / seconds,
                "scored_tokens_per_second": scored / seconds,
                "tokens_per_step": answer["usage"]["lm_tokens"] / (CHAINS * STEPS),
                "share_in_model": busy / seconds,
                "text": answer["sentences"][0]["text"],
                "log_prob_per_token": answer["sentences"][0]["log_prob_per_token"],
            }
        )
    return {
        "runs": runs,
        "median_seconds": statistics.median(run["seconds"] for run in runs),
        "median_scored_tokens_per_second": statistics.median(run["scored_tokens_per_second"] for run in runs),
    }


def bare(precision: str) -> dict[str, Any]:
    """What transformers' own forward of the default model reads at best, without padding.

    Three ways: the layers alone; with the output layer over as many tokens as a mask allows, which is what a score
    needs; and the model as it is, its output layer over the whole vocabulary.
    """
    folder = default_weights(Settings().cache_dir, lambda what, share: None)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=getattr(torch, precision)).eval()
    head = model.get_output_embeddings().weight[:ALLOWED].clone()
    ways: dict[str, Callable[[torch.Tensor], object]] = {
        "layers": lambda ids: model.model(input_ids=ids, use_cache=False),
        "masked": lambda ids: functional.linear(
            model.model(input_ids=ids, use_cache=False).last_hidden_state, head
        ).logsumexp(-1),
        "whole": lambda ids: model(input_ids=ids, use_cache=False),
    }
    rows: list[dict[str, Any]] = []
    with torch.inference_mode():
        for batch in (1, 4, 16, 64):
            for length in (8, 16, 32):
                ids = torch.randint(1000, 13_000, (batch, length))
                row: dict[str, Any] = {"batch": batch, "length": length}
                for name, way in ways.items():
                    times = []
                    for _ in range(4 if name != "whole" else 2):
                        started = time.perf_counter()
                        way(ids)
                        times.append(time.perf_counter() - started)
                    row[name] = batch * length / min(times)
                rows.append(row)
    return {"rows": rows, **{f"best_{name}": max(row[name] for row in rows) for name in ways}}


def concurrency(url: str) -> dict[str, Any]:
    """The same 16 requests one after the other and side by side, then more clients."""
    rows = []
    for clients, first in ((1, 1000), (4, 2000), (16, 3000), (64, 4000)):
        requests = [body(first + k, SMALL) for k in range(max(16, clients))]
        seconds, answers = asyncio.run(together(url, requests, clients))
        took = sorted(one for one, _ in answers)
        rows.append(
            {
                "clients": clients,
                "requests": len(requests),
                "seconds": seconds,
                "requests_per_second": len(requests) / seconds,
                "median_latency": statistics.median(took),
                "worst_latency": took[-1],
            }
        )

    seconds_plain = plain([body(first, SMALL) for first in range(3000, 3016)])

    return {
        "rows": rows,
        "sixteen_together_to_one_by_one": rows[2]["seconds"] / rows[0]["seconds"],
        "sixteen_together_to_plain_one_by_one": rows[2]["seconds"] / seconds_plain,
        "plain_one_by_one_seconds": seconds_plain,
    }


def smalls(url: str, beside: bool) -> list[float]:
    """Seconds of small requests one after the other, as long as a large one runs beside them if asked."""

    async def run() -> list[float]:
        large = asyncio.create_task(together(url, [body(5000, LONG)], 1)) if beside else None
        if large is not None:
            await asyncio.sleep(1.0)
        latencies: list[float] = []
        for number in range(6000, 6008):
            took = (await together(url, [body(number, SMALL)], 1))[0]
            if large is not None and large.done():
                break
            latencies.append(took)
        if large is not None:
            await large
        return latencies

    return asyncio.run(run())


def crowding(state: Path) -> dict[str, Any]:
    """The same small requests alone and beside a large one, each on a service of its own that knows no score yet."""
    found = []
    for beside in (False, True):
        with service(state / str(beside)) as url:
            asyncio.run(together(url, [body(1, SMALL)], 1))
            found.append(smalls(url, beside))
    alone, crowded = found
    ratios = [with_large / by_itself for by_itself, with_large in zip(alone, crowded, strict=False)]
    return {
        "small_alone": alone,
        "small_beside_large": crowded,
        "median_ratio": statistics.median(ratios),
        "worst_ratio": max(ratios),
    }


def warmth(state: Path) -> dict[str, Any]:
    """One seeded request cold, again, and again after a restart of the service."""
    request = body(9000, LARGE)
    with service(state) as url:
        cold, first = asyncio.run(together(url, [request], 1))
        warm, second = asyncio.run(together(url, [request], 1))
    with service(state) as url:
        restarted, third = asyncio.run(together(url, [request], 1))
        found = {place: metric(url, "chainwright_scores_total", place) for place in ("memory", "redis", "nowhere")}
    answers = [one[0][1] for one in (first, second, third)]
    return {
        "cold_seconds": cold,
        "warm_seconds": warm,
        "restarted_seconds": restarted,
        "identical": all(answer["sentences"] == answers[0]["sentences"] for answer in answers),
        "forwards": [answer["usage"]["lm_calls"] for answer in answers],
        "found_after_restart": found,
    }


def main(output: Path) -> None:
    """Measure, print, write."""
    where = machine()
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        with service(Path(folder) / "a", CHAINWRIGHT_MAX_RUNNING="64") as url:
            card = httpx.get(f"{url}/v1/models", timeout=30).json()["models"][0]
            asyncio.run(together(url, [body(1, SMALL)], 1))
            run = within_a_run(url)
            load = concurrency(url)
            print(load)
        crowd = crowding(Path(folder) / "b")
        print(crowd)
        warm = warmth(Path(folder) / "c")
        print(warm)
    limit = bare(card["precision"])
    for way in ("layers", "masked", "whole"):
        run[f"scored_to_{way}"] = run["median_scored_tokens_per_second"] / limit[f"best_{way}"]
    print(limit, run)
    write(
        output,
        {
            "machine": where,
            "model": card,
            "bare": limit,
            "run": run,
            "concurrency": load,
            "crowding": crowd,
            "cache": warm,
        },
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("engine.json"))
    main(parser.parse_args().output)
