"""Clients name indexes, never files: whatever they write, nothing outside the state directory is read or made."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from app.settings import Settings

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
