"""One registration of a task gives its route, stream, job URL, command, client method and row in the docs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.task_commands import add_command
from app.main import create_app
from app.settings.settings import Settings
from app.tasks import registry
from app.tasks.registry import TASKS, table, task_at
from app.web.problems import ProblemError
from chainwright_client import Client
from tests.app.conftest import wait_until_ready
from tests.app.tasks.reversal import Reversal
from tests.support.live import bridge

ROOT = Path(__file__).parents[3]
BODY = {"texts": ["one two", "abc"]}


@pytest.fixture(scope="module")
def toy_client(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The service with the toy task beside the others."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "TASKS", (*TASKS, Reversal))
        folder = tmp_path_factory.mktemp("toy")
        app = create_app(settings.model_copy(update={"state_dir": folder / "state"}))
        with TestClient(app, raise_server_exceptions=False) as client:
            wait_until_ready(client)
            yield client


def test_it_has_a_route(toy_client: TestClient) -> None:
    assert toy_client.post("/v1/reversal", json=BODY).json() == {"texts": ["owt eno", "cba"]}
    refused = toy_client.post("/v1/reversal", json={"texts": ["aba"]})
    assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "texts[0]"
    operation = toy_client.get("/openapi.json").json()["paths"]["/v1/reversal"]["post"]
    assert operation["summary"] == "Texts backwards" and operation["tags"] == ["toys"]


def test_it_streams(toy_client: TestClient) -> None:
    answer = toy_client.post("/v1/reversal", json={**BODY, "stream": True})
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "event: done" in answer.text and "owt eno" in answer.text


def test_items_of_jobs_name_it(toy_client: TestClient) -> None:
    bad = {"url": "/v1/reversal", "bodies": [BODY, {"texts": ["aba"]}]}
    assert toy_client.post("/v1/jobs", json=bad).json()["errors"][0]["field"] == "bodies[1].texts[0]"
    job = toy_client.post("/v1/jobs", json={"url": "/v1/reversal", "bodies": [BODY]}).json()["id"]
    while toy_client.get(f"/v1/jobs/{job}").json()["status"] != "completed":
        pass
    (line,) = toy_client.get(f"/v1/jobs/{job}/results").text.splitlines()
    assert json.loads(line)["response"]["body"] == {"texts": ["owt eno", "cba"]}


def test_it_has_a_command(monkeypatch: pytest.MonkeyPatch, settings: Settings, tmp_path: Path) -> None:
    for name, value in {"MODEL": settings.model, "OFFLINE": "1", "REDIS_URL": "off", "STATE_DIR": tmp_path}.items():
        monkeypatch.setenv(f"CHAINWRIGHT_{name}", str(value))
    cli = typer.Typer()
    for task in (*TASKS, Reversal):
        add_command(cli, task)
    answer = CliRunner().invoke(cli, ["reversal", "one two", "a b", "--by-words", "--json"])
    assert json.loads(answer.stdout) == {"texts": ["two one", "b a"]}, answer.output
    assert "reverse the order of words" in re.sub(r"\s+", " ", CliRunner().invoke(cli, ["reversal", "--help"]).stdout)


def test_it_is_a_method_of_the_client(toy_client: TestClient) -> None:
    with Client(transport=bridge(toy_client)) as client:
        assert client.reversal(texts=["abc"]).texts == ["cba"]


def test_it_has_a_row_in_the_docs() -> None:
    assert "| `chainwright reversal` |" in table((*TASKS, Reversal))
    assert table(TASKS) in (ROOT / "docs" / "api.md").read_text("utf-8")


@pytest.mark.parametrize("url", ["/v1/nothing", "/v1/sentences/", "/v1/indexes/a b/search", "/v1/indexes//search", ""])
def test_other_urls_are_of_no_task(url: str) -> None:
    with pytest.raises(ProblemError) as refused:
        task_at(url)
    assert refused.value.faults[0].field == "url" and "/v1/indexes/NAME/search" in refused.value.faults[0].remedy


def test_a_task_is_bound_to_its_path() -> None:
    assert [task_at(url).kind for url in ("/v1/sentences", "/v1/score", "/v1/indexes/town/search")] == [
        "sentences",
        "score",
        "search",
    ]
