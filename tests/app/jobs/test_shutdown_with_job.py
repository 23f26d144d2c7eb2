"""SIGTERM with twenty streams and a job in flight: all end, and the job goes on afterwards."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx

from tests.app.web.test_shutdown import DIRECT, read
from tests.support.service_process import service

ITEM = {"keywords": ["今天", "公园"], "sampler": {"kind": "metropolis", "chains": 2, "steps": 30}}
ITEMS = 24


def test_streams_end_with_a_word_and_the_job_goes_on(model_folder: Path, tmp_path: Path) -> None:
    settings = {"max_running": "30", "drain_seconds": "1", "queue_url": ""}
    job = {"url": "/v1/sentences", "bodies": [{**ITEM, "seed": seed} for seed in range(ITEMS)]}
    with service(model_folder, tmp_path, **settings) as (process, url):
        streams: list[list[tuple[str, Any]]] = [[] for _ in range(20)]
        opened = threading.Semaphore(0)
        readers = [threading.Thread(target=read, args=(url, events, opened)) for events in streams]
        for reader in readers:
            reader.start()
        for _ in readers:
            assert opened.acquire(timeout=300)
        place = httpx.post(f"{url}/v1/jobs", json=job, **DIRECT).headers["location"]
        deadline = time.monotonic() + 300
        while httpx.get(f"{url}{place}", **DIRECT).json()["status"] != "in_progress":
            assert time.monotonic() < deadline
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(300) == 0
        for reader in readers:
            reader.join(300)
        assert {events[-1][0] for events in streams} == {"error"}

    with service(model_folder, tmp_path, **settings) as (process, url):
        deadline = time.monotonic() + 300
        while (report := httpx.get(f"{url}{place}", **DIRECT).json())["status"] != "completed":
            assert time.monotonic() < deadline, report
            time.sleep(0.2)
        assert report["request_counts"] == {"total": ITEMS, "completed": ITEMS, "failed": 0}
        lines = httpx.get(f"{url}{place}/results", **DIRECT).text.splitlines()
        assert len(lines) == ITEMS
