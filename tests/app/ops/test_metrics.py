"""/metrics says what happened."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.indexes.opened import SearchReport
from app.jobs.jobs import Jobs
from app.jobs.store.connection import connected
from app.jobs.store.dockets import open_queue
from app.jobs.store.store import JobStore
from app.ops.queue_state import QueueState, queue_state
from app.settings.settings import Settings
from tests.support.live import until
from tests.support.processes import free_port

DOCUMENTATION = Path(__file__).parents[3] / "docs" / "operations.md"


def read(client: TestClient) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    response = client.get("/metrics")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }


def whole(client: TestClient) -> str:
    """The text with every metric that there may be."""
    client.post("/v1/score", json={"texts": ["今天我去公园散步。"]})
    client.app.state.metrics.search(SearchReport(questions=1, seconds=0.1))  # type: ignore[attr-defined]
    return client.get("/metrics").text


def test_metrics_follow_a_request(client: TestClient) -> None:
    body = {"keywords": ["明天", "电影"], "seed": 99, "sampler": {"kind": "metropolis", "chains": 2, "steps": 20}}
    before = read(client)
    usage = client.post("/v1/sentences", json=body).json()["usage"]
    between = read(client)
    client.post("/v1/sentences", json=body)
    after = read(client)

    def grown(name: str, **labels: str) -> tuple[float, float]:
        key = (name, tuple(sorted(labels.items())))
        return between.get(key, 0) - before.get(key, 0), after.get(key, 0) - between.get(key, 0)

    assert grown("chainwright_lm_tokens_total") == (usage["lm_tokens"], 0)
    assert grown("chainwright_lm_calls_total") == (usage["lm_calls"], 0)
    batches, none = grown("chainwright_batch_duration_seconds_count", work="scores")
    assert batches >= usage["lm_calls"] - 1 and none == 0
    missed, then = grown("chainwright_scores_total", found="nowhere")
    assert missed > 0 and then == 0
    assert grown("chainwright_scores_total", found="memory")[1] > 20
    assert after["chainwright_store_bytes", ()] > 0
    assert after["chainwright_requests_present", ()] == 0


def test_metrics_follow_a_job(client: TestClient) -> None:
    assert read(client)["chainwright_queue_up", ()] == 1
    until(lambda: read(client)["chainwright_workers", ()] == 1)  # it tells of itself some time after the start
    # Work for minutes, so that it is open for as long as this test looks at it.
    long = {"keywords": ["明天", "电影"], "sampler": {"kind": "metropolis", "chains": 8, "steps": 5000}}
    job = client.post("/v1/jobs", json={"url": "/v1/sentences", "bodies": [long]}).json()["id"]
    assert read(client)["chainwright_jobs_open", ()] == 1
    assert client.delete(f"/v1/jobs/{job}").status_code == 202
    until(lambda: client.get(f"/v1/jobs/{job}").json()["status"] == "cancelled")
    assert read(client)["chainwright_jobs_open", ()] == 0
    # The worker lets go of the chunk after the job has ended.
    until(lambda: read(client)["chainwright_queue_chunks", (("priority", "bulk"),)] == 0)
    client.delete(f"/v1/jobs/{job}")


def test_a_queue_that_is_away_delays_no_scrape_for_long() -> None:
    async def looked_at() -> QueueState:
        url = f"redis://127.0.0.1:{free_port()}"
        async with connected(url) as redis, open_queue(url) as queue:
            return await queue_state(Jobs(JobStore(redis, 60.0), queue, Settings()))

    assert asyncio.run(looked_at()) == QueueState(up=False)


def test_every_metric_is_documented(client: TestClient) -> None:
    client.post("/v1/score", json={"texts": ["今天我去公园散步。"]})
    families = text_string_to_metric_families(whole(client))
    names = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    rows = [line.split("|")[1] for line in DOCUMENTATION.read_text("utf-8").splitlines() if line.startswith("| `")]
    documented = set(re.findall(r"`((?:chainwright|http|process)_\w+)`", " ".join(rows)))
    assert names == documented
