"""`chainwright batch`, embedded and against a service, also when either is killed."""

from __future__ import annotations

import gzip
import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from app.cli.batch.source import read_source
from app.cli.main import cli
from app.web.access.keys import create_key
from tests.app.cli.batch import child
from tests.support.fleet import open_fleet
from tests.support.live import until
from tests.support.processes import Handle, Nursery

COUNT = 40
ITEMS = [
    {
        "custom_id": f"name {number}",
        "url": "/v1/sentences",
        "body": {"keywords": ["今天"], "seed": number, "sampler": {"kind": "metropolis", "chains": 1, "steps": 20}},
    }
    for number in range(COUNT)
]
LASTING = [
    {**item, "body": {**item["body"], "sampler": {**item["body"]["sampler"], "steps": 20 if number < 8 else 300}}}
    for number, item in enumerate(ITEMS)
]
"""All but the first take long, so that a run is sure to be still going on when a second signal is sent."""


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


def write(path: Path, lines: list[Any]) -> Path:
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")
    return path


def call(*arguments: object) -> Result:
    return CliRunner().invoke(cli, ["batch", *map(str, arguments)])


def spawn(nursery: Nursery, folder: Path, arguments: list[object], variables: dict[str, str]) -> Handle:
    given = json.dumps(["batch", *map(str, arguments)])
    return nursery.spawn(f"{child.__name__}:main", {**variables, "test_arguments": given}, folder / "batch.log")


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_bytes().split(b"\n") if line] if path.exists() else []


def complete(output: Path) -> None:
    """Every item has exactly one result, in its place, of the one job."""
    found = lines(output)
    assert [line["custom_id"] for line in found] == [item["custom_id"] for item in ITEMS]
    job = json.loads(output.with_name("out.jsonl.job").read_text())["job"]
    assert [line["id"] for line in found] == [f"{job}-{number}" for number in range(COUNT)]


def test_separators_in_strings_end_no_line(folder: Path) -> None:
    body = {"texts": ["今天。"], "context": "第一行\u2028第二行\u2029第三行"}
    item = {"custom_id": "x\u2028y\x85", "url": "/v1/score", "body": body}
    output = folder / "out.jsonl"
    done = call(write(folder / "in.jsonl", [json.dumps(item, ensure_ascii=False)]), "-o", output)
    assert done.exit_code == 0, done.output
    (line,) = output.read_text("utf-8").splitlines()
    assert json.loads(line)["custom_id"] == item["custom_id"]
    assert body["context"] in json.dumps(json.loads(line), ensure_ascii=False)


def test_bodies_of_one_route_and_lines_that_are_skipped(folder: Path) -> None:
    bodies = [{"texts": ["今天。"]}, "", {"texts": []}, {"texts": ["公园。"]}]
    file, output = write(folder / "in.jsonl", bodies), folder / "out.jsonl"
    refused = call(file, "-o", output, "--route", "/v1/score")
    assert refused.exit_code == 2, refused.output
    assert [line for line in refused.stderr.splitlines() if line.startswith("Error")] == [
        "Error: line 3: body.texts: there are no texts; give at least one. [missing]"
    ]
    assert not output.exists()
    done = call(file, "-o", output, "--route", "/v1/score", "--on-invalid", "skip")
    assert done.exit_code == 1, done.output
    assert [line["custom_id"] for line in lines(output)] == ["item-0", "item-2"]
    assert [line["custom_id"] for line in lines(folder / "out.errors.jsonl")] == ["item-1"]
    before = output.read_bytes()
    assert call(file, "-o", output, "--route", "/v1/score", "--on-invalid", "skip").exit_code == 1
    assert output.read_bytes() == before
    write(file, [{"texts": ["今天。"]}])
    other = call(file, "-o", output, "--route", "/v1/score")
    assert other.exit_code == 2 and "--again" in other.stderr and output.read_bytes() == before
    assert call(file, "-o", output, "--route", "/v1/score", "--again").exit_code == 0
    assert len(lines(output)) == 1 and not (folder / "out.errors.jsonl").exists()


@pytest.mark.parametrize(
    ("encoding", "more"),
    [("utf-8", []), ("utf-8-sig", []), ("utf-16", []), ("gbk", ["--encoding", "gbk"])],
)
@pytest.mark.parametrize("packed", [False, True])
def test_files_in_any_encoding(folder: Path, encoding: str, more: list[str], packed: bool) -> None:
    separator = "" if encoding == "gbk" else "\u2028\x85"
    bodies = [json.dumps({"texts": [f"{text}。{separator}"]}, ensure_ascii=False) for text in ("今天", "公园")]
    raw = "\r\n".join([bodies[0], "", bodies[1]]).encode(encoding)
    file, output = folder / "in", folder / "out.jsonl"
    file.write_bytes(gzip.compress(raw) if packed else raw)
    source = read_source(file, "/v1/score", more[-1] if more else None)
    assert source.numbers == [1, 3]
    texts = [json.loads(line)["body"]["texts"][0] for line in source.content.split(b"\n") if line]
    assert texts == [f"今天。{separator}", f"公园。{separator}"]
    if not separator:
        done = call(file, "-o", output, "--route", "/v1/score", *more)
        assert done.exit_code == 0, done.output
        assert [line["response"]["body"]["scores"][0]["text"] for line in lines(output)] == texts


def test_files_that_cannot_be_read(folder: Path) -> None:
    file = folder / "in.jsonl"
    body = json.dumps({"texts": ["今天。"]}, ensure_ascii=False)
    cases = {
        "no such file": (None, []),
        "--encoding gbk": (body.encode("gbk"), []),
        "there is no text encoding": (body.encode(), ["--encoding", "gkb"]),
        "gzip data": (gzip.compress(body.encode() * 100)[:-9], []),
        "line 2: not UTF-8": (f"{body}\n".encode() + b"\xff\n", []),
    }
    for told, (raw, more) in cases.items():
        file.unlink(missing_ok=True)
        if raw is not None:
            file.write_bytes(raw)
        result = call(file, "-o", folder / "out.jsonl", "--route", "/v1/score", *more)
        (line,) = result.stderr.splitlines()
        assert result.exit_code == 2 and told in line and not (folder / "out.jsonl").exists()
    result = call(folder, "-o", folder / "out.jsonl")
    assert result.exit_code == 2 and "it is a folder" in result.stderr


@pytest.mark.parametrize(
    ("content", "more", "told"),
    [
        ("", [], "no lines"),
        ("\n \n", [], "no lines"),
        ('{"url"', [], "line 1"),
        ("{", ["--route", "/v1/score"], "line 1"),
        ('{"texts": ["a"]}', ["--route", "/v1/nowhere"], "/v1/sentences"),
        ("{}", ["--url", "127.0.0.1"], "--url"),
    ],
)
def test_bad_input_is_told_and_runs_nothing(folder: Path, content: str, more: list[str], told: str) -> None:
    file = folder / "in.jsonl"
    file.write_text(content)
    result = call(file, "-o", folder / "out.jsonl", *more)
    assert result.exit_code == 2 and told in result.stderr and "Traceback" not in result.output
    assert not (folder / "out.jsonl").exists()


def test_what_is_of_no_batch_stays_as_it_is(folder: Path) -> None:
    file = write(folder / "in.jsonl", ITEMS)
    before = file.read_bytes()
    assert call(file, "-o", file).exit_code == 2 and file.read_bytes() == before


def test_nobody_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chainwright_client.exchange.FIRST_BACKOFF", 0.01)
    result = call(write(folder / "in.jsonl", ITEMS), "-o", folder / "out.jsonl", "--url", "http://127.0.0.1:1")
    assert result.exit_code == 3 and "running" in result.stderr


def test_a_state_directory_with_keys_asks_for_one(folder: Path) -> None:
    token = create_key(folder / "state" / "keys.json", "team")[1]
    file, output = write(folder / "in.jsonl", [{"texts": ["今天。"]}]), folder / "out.jsonl"
    refused = call(file, "-o", output, "--route", "/v1/score")
    assert refused.exit_code == 3 and "401" in refused.stderr
    assert call(file, "-o", output, "--route", "/v1/score", "--api-key", token).exit_code == 0


def test_killed_embedded_batches_go_on(nursery: Nursery, folder: Path, variables: dict[str, str]) -> None:
    """kill -9, and what was written but not noted; then Ctrl-C; then to the end."""
    file, output = write(folder / "in.jsonl", LASTING), folder / "out.jsonl"
    interrupted(spawn(nursery, folder, [file, "-o", output], variables), signal.SIGKILL, output)
    with output.open("ab") as out:
        out.write(b'{"half a li')
    interrupted(spawn(nursery, folder, [file, "-o", output], variables), signal.SIGINT, output)
    assert "run the same again" in (folder / "batch.log").read_text()
    result = call(file, "-o", output)
    assert result.exit_code == 0, result.output
    complete(output)


def interrupted(process: Handle, number: signal.Signals, output: Path) -> None:
    """Send a signal once there are three more lines, and before all are there."""
    before = count(output)
    until(lambda: count(output) > before + 2 or not process.alive)
    process.send(number)
    process.wait(300)
    assert before < count(output) < COUNT


def count(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def test_batch_and_service_are_killed(nursery: Nursery, folder: Path, variables: dict[str, str]) -> None:
    file, output = write(folder / "in.jsonl", LASTING), folder / "out.jsonl"
    with open_fleet(nursery, folder / "fleet", variables) as processes:
        processes.start_service()
        processes.wait_ready()
        arguments = [file, "-o", output, "--url", f"http://127.0.0.1:{processes.port}"]
        first = spawn(nursery, folder, arguments, {})
        until(lambda: count(output) > 1)
        first.send(signal.SIGKILL)
        first.wait(60)
        second = spawn(nursery, folder, arguments, {})
        assert processes.service is not None
        processes.service.send(signal.SIGKILL)
        processes.service.wait(60)
        time.sleep(0.5)
        processes.start_service()
        processes.wait_ready()
        second.wait(600)
        assert "Error" not in (folder / "batch.log").read_text()
        complete(output)
        assert len(processes.client.get("/v1/jobs").json()["data"]) == 1
