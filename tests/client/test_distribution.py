"""The client as a distribution of its own: built, installed into an empty environment, and at work there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
import venv
from importlib.metadata import distribution, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from chainwright_client import __version__
from tests.support import facts

ROOT = Path(__file__).parent.parent.parent

PROGRAM = """
import importlib.util, json, sys
from importlib.metadata import version

from chainwright_client import Client, __version__

assert version("chainwright-client") == __version__
found = [name for name in sys.argv[3:] if importlib.util.find_spec(name)]
assert not found, found
with Client(sys.argv[1]) as client:
    assert {task.name for task in client.tasks()} >= {"sentences", "score", "search"}
    request = {"keywords": ["今天"], "seed": 7, "sampler": {"kind": "annealing", "chains": 1, "steps": 2}}
    answer = client.sentences(**request)
    assert "今天" in answer.sentences[0].text
    assert [event.name for event in client.sentences.stream(**request)][-1] == "done"
    assert client.score(texts=["今天。"]).scores[0].log_prob < 0
    client.build_index("own", json.loads(sys.argv[2]))
    assert client.wait_index("own", timeout=300).build.state == "ready"
    assert client.search(index="own", query="今天天气", n=1).answers[0].results
    job = client.job_of("sentences", [request])
    (line,) = client.results(job)
    assert line.response.body.sentences == answer.sentences
    assert client.wait(job, timeout=300).status == "completed"
    client.delete_index("own")
print("well")
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Python of an environment that holds the client's wheel, what that requires, and nothing else."""
    folder = tmp_path_factory.mktemp("distribution")
    shutil.copytree(ROOT / "client", folder / "source", ignore=shutil.ignore_patterns("*.egg-info", "build"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input"]
    wheel = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", folder, folder / "source"]
    subprocess.run(wheel, check=True, timeout=120)
    (built,) = folder.glob("*.whl")
    assert built.name == f"chainwright_client-{__version__}-py3-none-any.whl"
    venv.create(folder / "empty", symlinks=True)
    (packages,) = (folder / "empty").glob("lib/python*/site-packages")
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", packages, built], check=True, timeout=120)
    (information,) = packages.glob("chainwright_client-*.dist-info")
    assert (information / "licenses" / "LICENSE").exists() and (packages / "chainwright_client" / "py.typed").exists()
    project = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text("utf-8"))["project"]
    for requirement in project["dependencies"]:
        copy(Requirement(requirement).name, packages)
    return folder / "empty" / "bin" / "python"


def copy(name: str, packages: Path) -> None:
    """Copy a distribution of this environment, and what it requires, into another."""
    here = distribution(name)
    for file in here.files or ():
        target = packages / file
        if ".." not in file.parts and not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(str(file.locate()), target)
    for required in map(Requirement, here.requires or ()):
        wanted = required.marker is None or required.marker.evaluate({"extra": ""})
        if wanted and not list(packages.glob(f"{required.name.replace('-', '_')}-*.dist-info")):
            copy(required.name, packages)


def test_it_works_without_the_service_s_packages(python: Path, live: str, tmp_path: Path) -> None:
    absent = ["app", "models", "samplers", "torch", "fastapi", "httpx_sse", "numpy", "rich", "redis"]
    environment = {"NO_PROXY": "127.0.0.1", "PATH": os.environ["PATH"]}
    command = [python, "-I", "-W", "error", "-c", PROGRAM, live, json.dumps(facts.LINES), *absent]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout == "well\n", done.stderr


def test_it_requires_two_packages() -> None:
    project = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text("utf-8"))["project"]
    assert sorted(Requirement(each).name for each in project["dependencies"]) == ["httpx", "pydantic"]
    service = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert "chainwright-client" in service["dependencies"]
    assert service["requires-python"] == project["requires-python"]


def test_both_distributions_are_of_one_version_and_licence() -> None:
    assert version("chainwright") == __version__
    assert f"\nversion: {__version__}\n" in (ROOT / "CITATION.cff").read_text("utf-8")
    assert (ROOT / "client" / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_it_names_no_task() -> None:
    """A new task of the service changes nothing in the client."""
    sources = [path.read_text("utf-8") for path in (ROOT / "client" / "chainwright_client").glob("*.py")]
    assert sources
    assert [word for word in ("sentences", "score", "search", "keywords") for text in sources if word in text] == []
