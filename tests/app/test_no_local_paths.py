"""Clients name indexes, never files: whatever they write, nothing outside the state directory is read or made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from app.cli.doctor import weights
from app.main import create_app
from app.settings.settings import Settings
from app.web.problems import Fault
from tests.support.live import until

NAMES = [
    "..",
    "../..",
    "../../etc/passwd",
    "..%2f..%2fetc",
    "/etc/passwd",
    "etc/../../passwd",
    "C:\\Windows\\win.ini",
    "..\\..\\secret",
    "file:///etc/passwd",
    "demo/../../secret",
    "demo\0",
    ".uploads",
    "~root",
    "con\n",
]


@pytest.fixture
def secret(settings: Settings) -> Path:
    """A file beside the state directory, which a path upwards would reach."""
    path = settings.state_dir.parent / "secret"
    path.write_text("今天\t天气\t晴\n")
    return path


def everything(state: Path) -> tuple[set[str], dict[Path, float]]:
    """What stands in the state directory, and all of the indexes; embedded servers write to files of their own."""
    return {path.name for path in state.iterdir()}, {
        path: path.stat().st_mtime for path in (state / "indexes").rglob("*")
    }


@pytest.mark.parametrize("name", NAMES)
def test_a_path_is_no_name_of_an_index(client: TestClient, settings: Settings, secret: Path, name: str) -> None:
    before = everything(settings.state_dir)
    url = f"/v1/indexes/{quote(name, safe='')}"
    lines = b"\xe4\xbb\x8a\tb\tc"
    answers = [
        client.post("/v1/indexes", json={"name": name, "lines": ["a\tb\tc"]}),
        client.put(url, content=lines, headers={"Content-Type": "text/tab-separated-values"}),
        client.get(url),
        client.patch(url, json={"remove": ["a"]}),
        client.delete(url),
        client.post(f"{url}/search", json={"query": "今天"}),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500, (answer.request.url, answer.text)
        assert "root:" not in answer.text and str(settings.state_dir) not in answer.text
    assert secret.read_text() == "今天\t天气\t晴\n"
    assert everything(settings.state_dir) == before


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/sentences", {"keywords": ["今天"], "model": "/etc"}),
        ("/v1/sentences", {"keywords": ["今天"], "adapter": "/etc"}),
        ("/v1/score", {"texts": ["今天。"], "model": "../secret"}),
        ("/v1/indexes", {"name": "copy", "path": "/etc/passwd"}),
        ("/v1/indexes", {"name": "copy", "lines": ["a\tb\tc"], "file": "/etc/passwd"}),
        ("/v1/indexes/demo/search", {"query": "今天", "index": "/etc/passwd"}),
    ],
)
def test_no_field_takes_a_path(client: TestClient, path: str, body: dict[str, object]) -> None:
    answer = client.post(path, json=body)
    assert answer.status_code == 422
    (name,) = set(body) - {"keywords", "texts", "name", "lines", "query"}
    assert name in [fault["field"] for fault in answer.json()["errors"]]


def test_lines_that_are_paths_are_lines(client: TestClient, settings: Settings, secret: Path) -> None:
    # A source is read from the body alone, even if the body looks like a list of files.
    answer = client.post(
        "/v1/indexes", json={"name": "paths", "format": "pairs", "lines": [f"file://{secret}\t/etc/passwd"]}
    )
    assert answer.status_code in (202, 422) and "晴" not in answer.text
    client.delete("/v1/indexes/paths")


def test_static_files_of_the_documentation_only(client: TestClient) -> None:
    for path in ("..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/core.py", "....//core.py", "/etc/passwd"):
        answer = client.get(f"/static-offline-docs/{path}")
        assert answer.status_code == 404 and "root:" not in answer.text and "import" not in answer.text


def test_answers_name_models_not_their_folders(client: TestClient, settings: Settings) -> None:
    name, keys = Path(settings.model).name, Path(settings.retrieval_model or "").name
    sampled = {"keywords": ["今天"], "sampler": {"kind": "metropolis", "chains": 1, "steps": 1}}
    answers = [
        client.get("/ready"),
        client.get("/v1/models"),
        client.post("/v1/score", json={"texts": ["今天。"]}),
        client.post("/v1/sentences", json=sampled),
        client.post("/v1/sentences", json=sampled | {"stream": True}),
    ]
    searched = client.post("/v1/indexes/demo/search", json={"query": "今天"})
    assert searched.status_code == 200 and searched.json()["model"]["name"] == keys
    for answer in answers:
        assert answer.status_code == 200 and f'"{name}"' in answer.text
    for answer in [*answers, searched, client.get("/v1/workers")]:
        assert settings.model not in answer.text and str(settings.retrieval_model) not in answer.text


def test_results_of_jobs_name_models_not_their_folders(client: TestClient, settings: Settings) -> None:
    made = client.post("/v1/jobs", json={"url": "/v1/score", "bodies": [{"texts": ["今天。"]}]}).json()
    until(lambda: client.get(f"/v1/jobs/{made['id']}").json()["status"] == "completed")
    results = client.get(f"/v1/jobs/{made['id']}/results").text
    assert f'"{Path(settings.model).name}"' in results and settings.model not in results
    workers = client.get("/v1/workers").json()["workers"]
    assert [worker["model"] for worker in workers] == [Path(settings.model).name]


def test_why_a_model_is_not_served_has_the_doctors_words_and_no_folder(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(settings.model, folder)
    entries = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(entries | {"tie_word_embeddings": False}))
    damaged = settings.model_copy(update={"model": str(folder), "retrieval_model": None, "state_dir": tmp_path})
    finding = next(iter(weights.model(damaged)))
    assert finding.status == "error" and "lm_head.weight" in finding.found and str(folder) in finding.remedy
    reasons: list[Fault] = []
    with TestClient(create_app(damaged, on_failure=reasons.append)) as client:
        until(lambda: bool(reasons))
        answers = [client.get("/ready"), client.get("/v1/models"), client.post("/v1/score", json={"texts": ["今天。"]})]
    for answer in answers:
        assert answer.status_code == 503 and finding.found in answer.json()["errors"][0]["message"]
        assert str(tmp_path) not in answer.text
    assert [reason.message for reason in reasons] == [finding.found]
    keys = settings.model_copy(update={"retrieval_model": str(folder), "state_dir": tmp_path})
    told = [each.found for each in weights.model(keys) if each.status == "error"]
    with TestClient(create_app(keys)) as client:
        until(lambda: client.get("/ready").status_code == 200)
        answer = client.post("/v1/indexes/demo/search", json={"query": "今天"})
    assert answer.status_code == 503 and told[0] in answer.json()["errors"][0]["message"]
    assert str(tmp_path) not in answer.text
