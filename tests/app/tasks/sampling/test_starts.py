"""Where the first states of a request's chains come from."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.tasks.sampling.kernels import START_PARTICLES, START_WAYS

KEYWORDS: list[Any] = ["今天", "公园", "散步"]


def first_log_density(client: TestClient, start: str, **sampler: Any) -> tuple[float, int]:
    """The greatest log p + 1.5 |x| of all first states, and the LM tokens that they took."""
    options = {"chains": 8, "steps": 0, "start": start, **sampler}
    body = {"keywords": KEYWORDS, "seed": 3, "sampler": options, "samples": 8, "rank_by": "log_prob_per_token"}
    answer = client.post("/v1/sentences", json=body)
    assert answer.status_code == 200, answer.text
    sentences = answer.json()["sentences"]
    return max(s["log_prob"] + 1.5 * len(s["tokens"]) for s in sentences), answer.json()["usage"]["lm_tokens"]


def test_a_population_finds_likelier_first_states_than_drafts(client: TestClient) -> None:
    assert first_log_density(client, "smc")[0] > first_log_density(client, "drafts")[0]


def test_annealing_starts_from_it_and_samplers_from_drafts(client: TestClient) -> None:
    for kind, start in (("annealing", "smc"), ("metropolis", "drafts")):
        body = {"keywords": KEYWORDS, "seed": 3, "sampler": {"kind": kind, "steps": 2}, "select": "last", "samples": 8}
        asked = {**body, "sampler": {**body["sampler"], "start": start}}  # type: ignore[dict-item]
        texts = [
            [sentence["text"] for sentence in client.post("/v1/sentences", json=each).json()["sentences"]]
            for each in (body, asked)
        ]
        assert texts[0] == texts[1] and texts[0]


def test_many_forms_are_left_to_drafts(client: TestClient) -> None:
    few, many = (first_log_density(client, "smc", particles=size) for size in (700, 900))
    assert many == first_log_density(client, "drafts") != few


@pytest.mark.parametrize("particles", [0, 10**9])
def test_particles_have_bounds(client: TestClient, particles: int) -> None:
    answer = client.post("/v1/sentences", json={"keywords": KEYWORDS, "sampler": {"particles": particles}})
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"].endswith("sampler.particles")


def test_a_draft_is_shown_before_the_population_has_come_through(client: TestClient) -> None:
    body = {"keywords": KEYWORDS, "seed": 3, "sampler": {"steps": 2}, "samples": 100, "stream": True}
    lines = client.post("/v1/sentences", json=body).text.splitlines()
    events = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    assert events.index("sentence") < events.index("step")
    shown = events[: events.index("step")].count("sentence")
    assert shown == 2, "the draft, then the best of the population, which is better"


def test_the_default_population_is_smaller_where_forms_are_many(client: TestClient) -> None:
    keywords = [["walk", "walks", "walked", "walking"], ["talk", "talks", "talked", "talking"]]

    def expected(**sampler: Any) -> int:
        body = {"keywords": keywords, "sampler": {"steps": 0, **sampler}, "dry_run": True}
        answer = client.post("/v1/sentences", json=body)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["expected_lm_tokens"])

    forms = sum(map(len, keywords))
    assert expected(particles=START_PARTICLES) > expected() == expected(particles=START_WAYS // forms)
