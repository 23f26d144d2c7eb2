"""Operations, documentation, logs, and the OpenAPI contract."""

from __future__ import annotations

import json
import re
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from fastapi import FastAPI
from starlette.testclient import TestClient

from app import logs
from app.main import create_app
from app.settings.settings import Limits, Settings
from app.web.access.keys import create_key
from app.web.problems import Fault
from tests.app.conftest import wait_until_ready
from tests.app.web.test_bad_input import assert_problem
from tests.support.contract import hold


def test_health_ready_and_models(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "alive"}
    assert client.get("/ready").json()["status"] == "ready"
    body = client.get("/v1/models").json()
    (model,) = body["models"]
    assert re.fullmatch(r"[0-9a-f]{16}", model["fingerprint"]) and model["device"] == "cpu"
    masks = ["en", "en-wide", "mixed", "mixed-wide", "zh", "zh-full", "zh-full-wide", "zh-wide"]
    assert model["vocabularies"] == masks and body["limits"]["max_steps"] == 5000
    listed = {"id": model["name"], "object": "model", "created": 0, "owned_by": "chainwright"}
    assert body["object"] == "list" and body["data"] == [listed]
    assert client.get(f"/v1/models/{model['name']}").json() == listed
    assert model["name"] in assert_problem(client.get("/v1/models/org/another"), 404)["detail"]
    assert "leave the slash at its end out" in assert_problem(client.get("/v1/models/"), 404)["detail"].lower()


def test_a_model_that_cannot_be_loaded_is_told(tmp_path: Path) -> None:
    reasons: list[Fault] = []
    settings = Settings(model=str(tmp_path), offline=True, cache_dir=tmp_path, state_dir=tmp_path)
    with TestClient(create_app(settings, on_failure=reasons.append)) as client:
        while not reasons:
            assert client.get("/ready").status_code == 503
        problem = assert_problem(client.get("/ready"), 503)
        assert "config.json" in problem["detail"] and "CHAINWRIGHT_MODEL" in problem["detail"]
        assert_problem(client.post("/v1/sentences", json={"keywords": ["dog"]}), 503)
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_docs_load_nothing_from_elsewhere(client: TestClient, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    sources = re.findall(r"""(?:src|href|url)\s*[=:]\s*["']([^"']+)["']""", page.text)
    assert sources and all(source.startswith("/") for source in sources)
    for source in sources:
        assert client.get(source).status_code == 200


def test_request_id_is_kept_and_named_in_problems(client: TestClient) -> None:
    request_id = uuid4()
    response = client.get("/nowhere", headers={"X-Request-ID": request_id.hex})
    assert response.headers["x-request-id"] == request_id.hex
    assert response.json()["instance"] == request_id.urn


def test_logs_are_json_with_the_request_id(client: TestClient, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        logs.configure()
        request_id = uuid4().hex
        client.get("/v1/models", headers={"X-Request-ID": request_id})
        lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    finally:
        structlog.reset_defaults()
    (line,) = [line for line in lines if line["event"] == "request"]
    assert line["request_id"] == request_id and line["path"] == "/v1/models" and line["status"] == 200


def test_every_route_documents_its_problems(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert {"Problem", "Fault"} <= set(document["components"]["schemas"])
    for path in ("/v1/sentences", "/v1/score"):
        responses = document["paths"][path]["post"]["responses"]
        for status in ("400", "413", "415", "422", "429", "500", "503"):
            assert list(responses[status]["content"]) == ["application/problem+json"]
    answers = document["paths"]["/v1/sentences"]["post"]["responses"]["200"]["content"]
    assert set(answers) == {"application/json", "text/event-stream"}
    fields = document["components"]["schemas"]["SentencesRequest"]["properties"]
    assert all(field.get("description") or "$ref" in field or "default" in field for field in fields.values())


def test_an_unexpected_error_is_a_problem(settings: Settings) -> None:
    app = create_app(settings)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a secret of the inside")

    with TestClient(app, raise_server_exceptions=False) as client:
        response = client.get("/broken")
        problem = assert_problem(response, 500)
        assert response.headers["connection"] == "close"
        assert "secret" not in json.dumps(problem)


def test_users_replace_vocabulary_rules(settings: Settings) -> None:
    rules = {"zh": "tests.support.rules:without_park"}
    with TestClient(create_app(settings.model_copy(update={"vocabularies": rules}))) as client:
        wait_until_ready(client)
        body = {"keywords": ["今天"], "samples": 50, "sampler": {"kind": "metropolis", "chains": 8, "steps": 20}}
        answer = client.post("/v1/sentences", json=body).json()
        assert all("公园" not in sentence["tokens"] for sentence in answer["sentences"])


@pytest.mark.parametrize("rule", ["nowhere:rule", "tests.support.rules", "tests.support.rules:nothing"])
def test_a_rule_that_cannot_be_imported_is_refused(rule: str) -> None:
    with pytest.raises(ValueError, match="vocabulary rule 'zh'"):
        Settings(vocabularies={"zh": rule})


@pytest.fixture(scope="module")
def small_app(settings: Settings) -> FastAPI:
    limits = Limits(max_chains=3, max_steps=3, max_length=30, max_texts=20)
    return create_app(settings.model_copy(update={"limits": limits}))


def test_schemathesis_finds_no_server_error_and_no_schema_violation(small_app: FastAPI) -> None:
    seen = hold(small_app, examples=60)
    assert seen["/v1/sentences"] > 100


def test_schemathesis_at_a_service_that_asks_for_keys(settings: Settings, tmp_path: Path) -> None:
    _, token = create_key(tmp_path / "keys.json", "schemathesis", rate="1000000/minute")
    limits = Limits(max_chains=3, max_steps=3, max_length=30, max_texts=20)
    app = create_app(settings.model_copy(update={"limits": limits, "keys_file": tmp_path / "keys.json"}))
    hold(app, {"Authorization": f"Bearer {token}"}, examples=5)
