"""Indexes whose triples are found from either end, over HTTP and on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.main import cli
from tests.app.web.test_bad_input import assert_problem
from tests.support import facts

TURNED = {
    "晴 ^天气": ["今天"],
    "热 ^天气": ["今天"],
    "早上 ^时间": ["今天"],
    "上午 ^时间": ["公园（城市）"],
    "晚上 ^时间": ["公园（学校）"],
    "老师 ^朋友": ["公园（学校）"],
    "water ^food": ["dog"],
}


def test_over_http(client: TestClient) -> None:
    forward = facts.all_keys(client, facts.build(client))
    both = facts.build(client, both_ends=True)
    assert facts.all_keys(client, both) == forward | TURNED
    lines = "\n".join(facts.LINES)
    assert client.put(f"/v1/indexes/{both}?both_ends=true", content=lines).status_code == 202
    assert facts.wait(client, both)["keys"] == facts.KEYS + len(TURNED)


@pytest.mark.parametrize("format", ["pairs", "pairs-jsonl"])
def test_pairs_are_refused_over_http(client: TestClient, format: str) -> None:
    body = {"name": facts.name(), "lines": ["a\tb"], "format": format, "both_ends": True}
    assert assert_problem(client.post("/v1/indexes", json=body), 422)["errors"][0]["field"] == "both_ends"
    response = client.put(f"/v1/indexes/{facts.name()}?both_ends=true&format={format}", content="a\tb")
    assert assert_problem(response, 422)["errors"][0]["field"] == "both_ends"


def test_pairs_that_are_found_out_later_fail_the_build(client: TestClient) -> None:
    index = facts.name()
    body = {"name": index, "lines": ["今天\t晴"], "both_ends": True}
    assert client.post("/v1/indexes", json=body).status_code == 202
    build = facts.wait(client, index)["build"]
    assert build["state"] == "failed" and "two ends" in build["failure"]


def test_on_the_command_line(key_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINWRIGHT_RETRIEVAL_MODEL", str(key_model_folder))
    monkeypatch.setenv("CHAINWRIGHT_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("CHAINWRIGHT_OFFLINE", "1")
    (tmp_path / "triples.tsv").write_text("\n".join(facts.LINES), "utf-8")
    (tmp_path / "pairs.tsv").write_text("今天\t晴\n", "utf-8")
    done = CliRunner().invoke(cli, ["index", "build", "town", str(tmp_path / "triples.tsv"), "--both-ends"])
    assert done.exit_code == 0 and f"keys: {facts.KEYS + len(TURNED)}" in done.stdout
    wrong = CliRunner().invoke(cli, ["index", "build", "pairs", str(tmp_path / "pairs.tsv"), "--both-ends"])
    assert wrong.exit_code == 2 and "Error: --both-ends: " in wrong.stderr
