"""The tutorial and the client's page run as written, against a service of the test.

Two things stand in for what a reader has: the port, and a tiny model that can spell every character of the pages.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.main import create_app
from app.settings.settings import Settings
from tests.support import tiny_service as tiny
from tests.support.live import serving

ROOT = Path(__file__).parent.parent
PAGES = {name: (ROOT / "docs" / name).read_text("utf-8") for name in ("tutorial.md", "client.md")}
BLOCK = re.compile(r"^```([a-z]+(?: [a-z]+)?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMPOSE = ROOT / "docker-compose.yml"
REFUSED = re.compile("urn:chainwright:problem|^Error: ", re.MULTILINE)
WRONG = [code for page in PAGES for kind, code in BLOCK.findall(PAGES[page]) if kind == "sh" and '"max": 3}' in code]
"""KeywordBlocks that show what a wrong request is answered."""

DEFAULT = "http://127.0.0.1:8000"


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and code of each block."""
    return [(found[1], found[2]) for found in BLOCK.finditer(PAGES[page])]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A short path, for the queue's socket."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def environment(folder: Path) -> Iterator[dict[str, str]]:
    """Of a reader whose service runs."""
    characters = sorted({character for page in PAGES.values() for character in page if character.strip()})
    model = tiny.save(folder / "model", ["\n", *characters])
    settings = Settings(
        model=str(model),
        device="cpu",
        precision="float32",
        offline=True,
        cache_dir=folder / "cache",
        state_dir=folder / "state",
        redis_url="off",  # type: ignore[arg-type]
        torch_threads=1,
    )
    commands = folder / "bin"
    commands.mkdir()
    (commands / "chainwright").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m app.entry "$@"\n')
    (commands / "chainwright").chmod(0o755)
    (commands / "python").symlink_to(sys.executable)
    with serving(create_app(settings)) as url:
        yield {
            **{name: value for name, value in os.environ.items() if not name.startswith("CHAINWRIGHT_")},
            "PATH": f"{commands}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
            "CHAINWRIGHT_URL": url,
        }


@pytest.mark.parametrize("page", PAGES)
def test_every_block_runs_as_written(page: str, environment: dict[str, str], folder: Path) -> None:
    ran = 0
    desk = folder / Path(page).stem
    desk.mkdir()
    for language, code in blocks(page):
        commands = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}
        if language not in commands:
            continue
        here = code.replace(DEFAULT, environment["CHAINWRIGHT_URL"])
        result = subprocess.run(
            [*commands[language], here], cwd=desk, env=environment, capture_output=True, text=True, timeout=120
        )
        told = f"{code}\n{result.stdout}\n{result.stderr}"
        assert result.returncode == 0 and "Traceback" not in told, told
        assert bool(REFUSED.search(told)) == (code in WRONG), told
        ran += 1
    assert ran >= 4


def test_only_known_kinds_of_blocks() -> None:
    assert {kind for page in PAGES for kind, _ in blocks(page)} <= {"sh", "python", "sh deploy"}
    assert sum(PAGES[page].count("\n```") for page in PAGES) == 2 * sum(len(blocks(page)) for page in PAGES)


def test_deploying() -> None:
    """The compose file is valid, and has the services and profiles that the page names."""
    if not COMPOSE.exists():
        pytest.skip("there is no docker-compose.yml in this tree")
    arguments = ["--builtin-schema", "vendor.compose-spec", str(COMPOSE)]
    checked = subprocess.run([sys.executable, "-m", "check_jsonschema", *arguments], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout
    services: dict[str, Any] = yaml.safe_load(COMPOSE.read_text("utf-8"))["services"]
    profiles = {profile for service in services.values() for profile in service.get("profiles", [])}
    lines = [line for kind, code in blocks("tutorial.md") if kind == "sh deploy" for line in code.splitlines()]
    assert len(lines) >= 3
    for line in lines:
        assert line.startswith("docker compose ")
        assert set(re.findall(r"(?:--scale|logs) (\w+)", line)) <= services.keys()
        assert set(re.findall(r"--profile (\w+)", line)) <= profiles
