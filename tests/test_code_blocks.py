"""Code blocks of the pages run as written, against one service of the test.

Three things stand in for what a reader has: the port, a tiny model that can spell every character, and a few files.
A block that cannot run says why, in a comment on the line before it; its commands are parsed all the same. Of a Chinese
page what an English one says too, comments aside, is run there.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import typer
import yaml

from app.cli.main import cli
from app.main import create_app
from app.settings.settings import Settings
from app.web.problems import Problem
from tests.support import tiny_service as tiny
from tests.support.live import serving
from tests.support.pages import CHINESE, PAGES, ROOT, Block, blocks

COMPOSE = ROOT / "docker-compose.yml"
EVERY = [block for page in PAGES for block in blocks(page)]
ENGLISH = {block.sense for block in EVERY if block.page not in CHINESE}
ALL = [block for block in EVERY if block.page not in CHINESE or block.sense not in ENGLISH]
SKELETONS = ROOT / "CONTRIBUTING.md"
RUN = [
    block
    for block in ALL
    if block.not_run is None and (block.kind == "sh" or (block.kind == "python" and block.page != SKELETONS))
]
"""Skeletons are run by :mod:`tests.test_contributing`."""
MARKED = [block for block in ALL if block.not_run is not None]
REFUSAL = re.compile("urn:chainwright:problem|^Error: ", re.MULTILINE)
DEFAULT = "http://127.0.0.1:8000"
COMMANDS = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
TRIPLES = "上海\t人口\t2415万\n北京\t人口\t2189万\n"
FILES = {
    "cities.tsv": TRIPLES.encode(),
    "Knowledge.txt": TRIPLES.encode(),
    "gbk.csv": TRIPLES.replace("\t", ",").encode("gbk"),
}
"""What a reader brings along."""


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path, for the queue's socket."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def environment(folder: Path, chainwright: Path) -> Iterator[dict[str, str]]:
    """Of a reader whose service runs."""
    characters = sorted({character for block in RUN for character in block.code if character.strip()})
    byte_tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    model = tiny.save(folder / "model", ["\n", *characters, *byte_tokens], byte_fallback=True)
    values: dict[str, Any] = {
        "model": str(model),
        "device": "cpu",
        "precision": "float32",
        "offline": True,
        "cache_dir": folder / "cache",
        "state_dir": folder / "state",
        "redis_url": "off",
        "torch_threads": 1,
    }
    commands = folder / "bin"
    commands.mkdir()
    for python in ("python", "python3"):
        (commands / python).write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
        (commands / python).chmod(0o755)
    (commands / "chainwright").symlink_to(chainwright)
    with serving(create_app(Settings(**values))) as url:
        yield {
            **{name: value for name, value in os.environ.items() if not name.startswith("CHAINWRIGHT_")},
            **{f"CHAINWRIGHT_{name.upper()}": str(value) for name, value in values.items()},
            "PATH": f"{commands}:{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "client")]),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "CHAINWRIGHT_URL": url,
        }


@pytest.mark.parametrize(
    "page", dict.fromkeys(block.page for block in RUN), ids=lambda page: str(page.relative_to(ROOT))
)
def test_every_block_runs_as_written(page: Path, environment: dict[str, str], folder: Path) -> None:
    desk = folder / "desks" / page.relative_to(ROOT).with_suffix("")
    (desk / ".venv").mkdir(parents=True)
    (desk / ".venv" / "bin").symlink_to(folder / "bin")
    for name, content in FILES.items():
        (desk / name).write_bytes(content)
    for block in RUN:
        if block.page != page:
            continue
        here = block.code.replace(DEFAULT, environment["CHAINWRIGHT_URL"])
        run = [*COMMANDS[block.kind], here]
        result = subprocess.run(
            run, cwd=desk, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120
        )
        printed = f"{block}\n{result.stdout.decode(errors='replace')}"  # head -c may cut a character
        assert result.returncode == 0 and "Traceback" not in printed, printed
        assert bool(REFUSAL.search(printed)) == block.refused, printed


def test_kinds_of_blocks() -> None:
    assert {block.kind for block in ALL} <= {*COMMANDS, "json", "yaml", "nginx", "mermaid", ""}
    assert len(RUN) >= 25 and sum(block.refused for block in RUN) == 1
    assert [str(block) for block in MARKED if block.kind not in COMMANDS] == []
    assert [str(block) for block in MARKED if block.page in CHINESE] == [], "an English page has it, or it is run"
    assert len(MARKED) <= 22, "a block more that nobody runs: could it be written so that it does?"


@pytest.mark.parametrize("block", [block for block in ALL if block.kind in ("json", "yaml")], ids=str)
def test_documents_can_be_read(block: Block) -> None:
    assert json.loads(block.code) if block.kind == "json" else list(yaml.safe_load_all(block.code))


def test_the_example_of_an_error_is_what_the_service_says(environment: dict[str, str]) -> None:
    examples = [block.code for block in ALL if block.kind == "json" and "urn:chainwright:problem" in block.code]
    url = f"{environment['CHAINWRIGHT_URL']}/v1/sentences"
    said = Problem.model_validate(
        httpx.post(url, json={"keywords": []}, trust_env=False, timeout=300).json(), extra="forbid"
    )
    assert examples
    for code in examples:
        shown = Problem.model_validate_json(code, extra="forbid")
        assert shown.model_copy(update={"instance": None}) == said.model_copy(update={"instance": None})
        assert all(UUID(each.instance).urn == each.instance for each in (shown, said))


@pytest.mark.parametrize("block", [block for block in MARKED if block.kind == "sh"], ids=str)
def test_commands_that_are_not_run_exist(block: Block) -> None:
    """Their shell is well formed, and each ``chainwright`` in them has such a command, arguments and options."""
    checked = subprocess.run(["bash", "-n", "-c", block.code], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    for line in block.code.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        command = next((at for at, word in enumerate(words) if not re.match("[A-Z_]+=", word)), len(words))
        if command < len(words) and words[command] in ("chainwright", ".venv/bin/chainwright"):
            _parse(typer.main.get_command(cli), words[command + 1 :])


def _parse(command: Any, words: list[str]) -> None:
    """Refuse words that are no call of the command, by an exception."""
    context = command.make_context(command.name, list(words))
    if hasattr(command, "resolve_command"):
        _parse(*command.resolve_command(context, [*context._protected_args, *context.args])[1:])


def test_compose_commands() -> None:
    """The compose file is valid, and has the services and profiles that the pages name."""
    arguments = ["--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run([sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    profiles = {profile for service in services.values() for profile in service.get("profiles", [])}
    lines = [line for block in MARKED for line in block.code.splitlines() if line.startswith("docker compose ")]
    assert len(lines) >= 8
    for line in lines:
        assert set(re.findall(r"(?:--scale|logs|run --rm) ([a-z-]+)", line)) <= services.keys()
        assert set(re.findall(r"--profile (\w+)", line)) <= profiles
