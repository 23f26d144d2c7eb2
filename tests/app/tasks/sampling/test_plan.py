"""Dry runs: the plan or the refusal, without a forward of the model."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.languages.registry import LANGUAGES
from app.tasks.sampling.kernels import START_PARTICLES

BODY: dict[str, Any] = {"keywords": [["dog", "dogs"], "New York"], "dry_run": True, "sampler": {"chains": 4}}


@pytest.fixture
def forwards(client: TestClient) -> Any:
    """Forwards of the model so far."""
    return lambda: client.app.state.loading.engine.model.scorer.usage.lm_calls  # type: ignore[attr-defined]


def test_plan(client: TestClient, forwards: Any) -> None:
    before = forwards()
    response = client.post("/v1/sentences", json=BODY)
    plan = response.json()
    assert response.status_code == 200 and forwards() == before
    assert plan["language"] == plan["vocabulary"] == "en" and "sentences" not in plan
    assert plan["length"] == {"min": 0, "max": 20, "unit": "words"}
    assert {"".join(spelling).strip() for spelling in plan["keywords"][0]} == {"dog", "dogs"}
    assert {"".join(spelling).strip() for spelling in plan["keywords"][1]} == {"New York"}
    assert set(plan["moves"]) == {"replace", "insert", "delete", "swap", "reform"}
    assert sum(plan["moves"].values()) == pytest.approx(1) and plan["moves"]["replace"] == pytest.approx(0.5)
    assert plan["sampler"]["kind"] == "annealing" and plan["sampler"]["steps"] == 30 and plan["drafts"] == 0
    assert plan["contexts"] == [LANGUAGES["en"].opening] and plan["context_tokens"] > 10
    assert plan["expected_seconds"] > 0 and plan["expected_lm_tokens"] == pytest.approx(
        120 * 2.7 + START_PARTICLES * 3 * 6
    )


def test_populations_are_in_the_price_and_share_a_context(client: TestClient) -> None:
    sampler = {"kind": "particle_gibbs", "chains": 8, "steps": 20, "renew_every": 5}
    plan = client.post("/v1/sentences", json={**BODY, "sampler": sampler, "context": {"kind": "pool"}}).json()
    assert len(plan["contexts"]) == 1 and plan["drafts"] == 1
    assert plan["expected_lm_tokens"] == pytest.approx(8 * 20 * 2.7 + 4 * 24 * 3 * 6)


def test_moves_that_cannot_apply_are_left_out(client: TestClient) -> None:
    plan = client.post("/v1/sentences", json={**BODY, "keywords": ["dog"], "context": ""}).json()
    assert set(plan["moves"]) == {"replace", "insert", "delete"} and sum(plan["moves"].values()) == pytest.approx(1)
    assert plan["contexts"] == [""] and plan["context_tokens"] == 0


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"length": {"max": 1, "unit": "words"}}, "length.max"),
        ({"context": "dog " * 5000}, "context"),
        ({"sampler": {"moves": {"replace": 0, "insert": 0, "delete": 0, "swap": 0, "reform": 0}}}, "sampler.moves"),
    ],
)
def test_it_is_refused_as_the_run_would_be(client: TestClient, wrong: dict[str, Any], field: str) -> None:
    dry, real = (client.post("/v1/sentences", json={**BODY, **wrong, "dry_run": dry}) for dry in (True, False))
    assert dry.status_code == real.status_code == 422
    assert dry.json()["errors"] == real.json()["errors"] and dry.json()["errors"][0]["field"] == field


def test_a_stream_is_the_plan(client: TestClient) -> None:
    response = client.post("/v1/sentences", json={**BODY, "stream": True})
    lines = [line for line in response.text.splitlines() if line.startswith(("event:", "data:"))]
    assert lines[0] == "event: done" and len(lines) == 2
    assert json.loads(lines[1].removeprefix("data: ")) == client.post("/v1/sentences", json=BODY).json()


def test_the_schema_names_both_answers(client: TestClient) -> None:
    operation = client.get("/openapi.json").json()["paths"]["/v1/sentences"]["post"]
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    names = [each["$ref"].rpartition("/")[2] for each in schema["anyOf"]]
    assert names == ["SentencesAnswer", "SamplingPlan"]
