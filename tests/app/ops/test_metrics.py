"""/metrics says what happened."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.indexes.opened import SearchReport

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


def test_every_metric_is_documented(client: TestClient) -> None:
    client.post("/v1/score", json={"texts": ["今天我去公园散步。"]})
    client.app.state.metrics.search(SearchReport(questions=1, seconds=0.1))  # type: ignore[attr-defined]
    families = text_string_to_metric_families(client.get("/metrics").text)
    names = {f"{family.name}_total" if family.type == "counter" else family.name for family in families}
    rows = [line.split("|")[1] for line in DOCUMENTATION.read_text("utf-8").splitlines() if line.startswith("| `")]
    documented = set(re.findall(r"`((?:chainwright|http)_\w+)`", " ".join(rows)))
    assert names == documented
