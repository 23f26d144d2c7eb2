"""`chainwright index`, `search` and `evaluate retrieval`."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli.main import cli
from tests.support import facts
from tests.support.variables import logging_as_before, set_variables


@pytest.fixture(autouse=True)
def state(key_model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # These commands must not load the model that samples.
    state, nowhere = tmp_path / "state", "/nowhere/at/all"
    set_variables(monkeypatch, model=nowhere, retrieval_model=str(key_model_folder), state_dir=str(state))
    with logging_as_before():
        yield state


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "facts.tsv"
    path.write_text("\n".join([*facts.LINES, "a line without tabs"]), "utf-8")
    return path


def call(*arguments: str, code: int = 0) -> Result:
    result = CliRunner().invoke(cli, list(arguments))
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result


def test_round_trip(file: Path, tmp_path: Path) -> None:
    built = call("index", "build", "town", str(file))
    assert f"keys: {facts.KEYS}" in built.stdout and "facts.tsv:8" in built.stdout
    listed = json.loads(call("index", "list", "--json").stdout)
    assert [(each["name"], each["keys"]) for each in listed if each["name"] != "demo"] == [("town", facts.KEYS)]
    assert "town" in call("index", "list").stdout

    answer = json.loads(call("search", "town", "今天", "dog", "--mode", "exact", "-n", "9", "--json").stdout)
    assert [one["query"] for one in answer["answers"]] == ["今天", "dog"] and answer["answers"][0]["proven"]
    assert len(answer["answers"][0]["results"]) == facts.KEYS
    shown = call("search", "town", "今天 [red]?", "--abstain")
    assert "今天 [red]?" in shown.stdout and "no adapter" in shown.stderr

    shown = call("search", "town", "今天 [red]?", "--explain", "-n", "1", "--mode", "exact")
    assert "from exact" in shown.stdout and "tokens: " in shown.stdout and "'<eos>'" in shown.stdout

    walked = json.loads(call("index", "walk", "town", "--limit", "1", "--json").stdout)
    assert (walked["keys"], walked["total"], len(walked["branches"])) == (facts.KEYS, 3, 1)
    first = walked["branches"][0]
    assert first["text"] == "公园" and first["keys"] == 3
    below = call("index", "walk", "town", str(first["id"])).stdout
    call("index", "walk", "town", "x", code=2)
    assert "3 keys, 1 branches after '公园'" in below and "'\\n'" in below

    assert "1 added" in call("index", "add", "town", "cat", "food", "fish").stdout
    assert "1 removed" in call("index", "remove", "town", "今天", "天气", "晴").stdout
    assert "1 added" in call("index", "add", "town", "公园", "天气", "热", "--meaning", "城市").stdout
    info = json.loads(call("index", "info", "town", "--json").stdout)
    assert info["keys"] == facts.KEYS + 2 and info["changes"]["keys_added"] == 3
    merged = json.loads(call("index", "merge", "town", "--json").stdout)
    assert merged["keys"] == facts.KEYS + 2 and merged["typos"] is True
    info = json.loads(call("index", "info", "town", "--json").stdout)
    assert info["changes"] == {"keys_added": 0, "keys_removed": 0, "bytes": 0}
    found = json.loads(call("search", "town", "cat", "--mode", "exact", "-n", "9", "--json").stdout)
    values = {result["text"]: result["values"] for result in found["answers"][0]["results"]}
    assert values["cat food"] == ["fish"] and values["今天 天气"] == ["热"] and values["公园（城市） 天气"] == ["热"]

    call("index", "delete", "town")
    assert "town" not in call("index", "list").stdout


def test_formats_aliases_and_compressed_files(tmp_path: Path) -> None:
    packed, alias = tmp_path / "pairs.tsv.gz", tmp_path / "aliases.tsv"
    packed.write_bytes(gzip.compress("今天\t晴\n".encode()))
    alias.write_text("明天\t今天\n", "utf-8")
    call("index", "build", "pairs", str(packed), "--alias", str(alias), "--no-typos")
    assert json.loads(call("index", "info", "pairs", "--json").stdout)["typos"] is False
    answer = json.loads(call("search", "pairs", "今天", "--json").stdout)
    assert {result["text"] for result in answer["answers"][0]["results"]} == {"今天", "明天"}
    call("index", "add", "pairs", "后天", "热")
    assert json.loads(call("index", "info", "pairs", "--json").stdout)["keys"] == 3


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["search", "nothing", "今天"], "nothing"),
        (["search", "town", ""], "queries[0]"),
        (["search", "town", "今天", "-n", "0"], "-n"),
        (["search", "town", "今天", "-n", "4", "--beams", "2"], "--beams"),
        (["search", "town", "今天", "--look-ahead", "nan"], "--look-ahead"),
        (["search", "town", "今天", "--model", "/nowhere/at/all"], "CHAINWRIGHT_RETRIEVAL_MODEL"),
        (["index", "info", "nothing"], "NAME"),
        (["index", "info", "Bad Name"], "NAME"),
        (["index", "walk", "nothing"], "NAME"),
        (["index", "walk", "town", "0"], "tokens"),
        (["index", "delete", "nothing"], "NAME"),
        (["index", "merge", "nothing"], "NAME"),
        (["index", "add", "town", "今天", "天气"], "FIELDS"),
        (["index", "remove", "town", "今天"], "FIELDS"),
        (["index", "remove", "town", "cat", "food"], "nothing was changed"),
        (["index", "build", "demo", "FILE"], "NAME"),
        (["index", "build", "strict", "FILE", "--strict"], "line 8"),
        (["evaluate", "retrieval", "FILE", "--index", "town"], "FILE"),
    ],
)
def test_errors_are_one_line_and_code_2(file: Path, arguments: list[str], told: str) -> None:
    call("index", "build", "town", str(file))
    result = call(*(str(file) if argument == "FILE" else argument for argument in arguments), code=2)
    errors = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and told in errors[0] and ";" in errors[0]


def test_evaluate_prints_the_baseline_beside_the_model(file: Path, tmp_path: Path) -> None:
    call("index", "build", "town", str(file))
    questions = tmp_path / "questions.jsonl"
    rows = [
        ("今天的天气怎么样", "今天 ||| 天气 ||| 晴"),
        ("dog 的 food 是", "dog ||| food ||| water"),
        ("公园的朋友", "公园（学校） ||| 朋友 ||| 学生"),
        ("没有", "山水 ||| 时间 ||| 人"),
    ]
    lines = [json.dumps({"question": question, "answer": answer}) for question, answer in rows]
    questions.write_text("\n".join(lines), "utf-8")
    arguments = ["evaluate", "retrieval", str(questions), "--index", "town", "--beams", "2"]
    report = json.loads(call(*arguments, "--json").stdout)
    baseline = report["floor"]
    assert baseline["EM"] == {"S": 75.0, "P": 75.0, "SP": 75.0, "O": 50.0}
    assert baseline["F1"]["O"] == 50.0 and baseline["Score"] == 50.0
    assert report["questions"] == 4 and report["keys"] == facts.KEYS and report["seconds_per_question"] > 0
    assert 0 <= report["model"]["EM"]["SP"] <= 75
    table = call(*arguments, "--limit", "2").stdout
    assert "baseline" in table and "100.0" in table and "Score" in table and "2 questions" in table


SLOW_BUILD = """
import time
import numpy
from app.cli.entry import main

save = numpy.save

def slowly(*arguments, **options):
    save(*arguments, **options)
    time.sleep(10)

numpy.save = slowly
main()
"""
"""The command, with time to be killed once a file is there."""


def test_a_killed_build_leaves_the_old_index_and_no_half_one(state: Path, tmp_path: Path) -> None:
    old, large = tmp_path / "old.tsv", tmp_path / "large.tsv"
    old.write_text("\n".join(facts.LINES), "utf-8")
    letters = "今天公园散步学校朋友喜欢吃饭工作"
    names = (f"{a}{b}{c}{d}" for a in letters for b in letters for c in letters for d in letters)
    large.write_text("".join(f"{name}\t天气\t{name}\n{name}\t时间\t晴\n" for name in names), "utf-8")
    call("index", "build", "town", str(old))

    command = [sys.executable, "-c", SLOW_BUILD, "index", "build", "town", str(large)]
    process = subprocess.Popen(command, env=os.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not list((state / "indexes" / "town").glob(".*.building-*/*.npy")):
            assert process.poll() is None, "it was done before it could be killed"
            time.sleep(0.0005)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    info = json.loads(call("index", "info", "town", "--json").stdout)
    assert info["keys"] == facts.KEYS and info["state"] == "ready"
    answer = json.loads(call("search", "town", "今天", "--mode", "exact", "-n", "9", "--json").stdout)
    assert len(answer["answers"][0]["results"]) == facts.KEYS

    call("index", "build", "town", str(old))
    left = sorted(path.name for path in (state / "indexes" / "town").iterdir())
    assert len(left) == 2 and "current" in left and not any("building" in name for name in left)
