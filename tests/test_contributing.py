"""The skeletons of CONTRIBUTING.md: the laws hold for the mathematical ones, a service runs the others."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support import tiny_service as tiny
from tests.support.pages import ROOT
from tests.support.skeletons import laws, skeletons


def test_there_is_one_of_each() -> None:
    folders = [Path(name).parts[:2] for name in skeletons() if not name.startswith("tests/")]
    rooms = ["samplers/constraints", "samplers/moves", "samplers/kernels", "app/tasks", "app/languages"]
    assert ["/".join(parts) for parts in folders] == rooms


@pytest.mark.parametrize(("name", "law"), laws())
def test_law(name: str, law: Any) -> None:
    law()


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a service and a command with the skeletons answer."""
    words = ["Het", "De", "Een", "meisje", "jongen", "huis", "straat", "loopt", "ziet", "door", "de", "het", "een"]
    model = tiny.save(tmp_path_factory.mktemp("dutch"), [f"▁{word}" for word in words])
    command = [sys.executable, "-m", "tests.support.skeletons", str(model), str(tmp_path_factory.mktemp("state"))]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_task_is_a_route_a_job_a_command_and_a_method_of_the_client(used: Any) -> None:
    expected = used["expected"]
    assert used["route"] == {"tokens": [expected]} == used["command"] == used["item"] == used["method"]
    assert used["refused"]["errors"][0]["field"] == "texts"
    assert "/v1/tokens" in used["paths"]


def test_the_language_writes_sentences(used: Any) -> None:
    (sentence,) = used["sentences"]["sentences"]
    assert "meisje" in sentence["text"].strip(".!?").split()
    assert used["sentences"]["model"]["vocabulary"] == "nl"
    assert used["sentences"]["model"]["context"].startswith("Elke ochtend")
