"""The parts of a bundle, and its install.sh on wheels of a few lines, where there is no network."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib import resources
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.bundle.contents import CHECKSUMS, MANIFEST, assemble
from app.cli.bundle.wheels import WheelError, build
from app.cli.main import cli

MAIN = "import {needs}\ndef main():\n    print('answered with', {needs}.__name__)\n"


def wheel(folder: Path, name: str, files: dict[str, str], metadata: Sequence[str] = ()) -> Path:
    """A wheel of one version with the files given, those of its metadata under the name ``.dist-info``."""
    path = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *metadata]
    standard = {"METADATA": "\n".join(lines) + "\n", "WHEEL": "Wheel-Version: 1.0\nTag: py3-none-any\n", "RECORD": ""}
    with zipfile.ZipFile(path, "w") as opened:
        for member, content in ({f".dist-info/{key}": text for key, text in standard.items()} | files).items():
            opened.writestr(member.replace(".dist-info", info), content)
    return path


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A bundle of a service of three lines, what it needs, and the pip that Python brings along."""
    wheels = tmp_path / "made"
    wheels.mkdir()
    service = {
        "chainwright_toy.py": MAIN.format(needs="toy_part"),
        ".dist-info/entry_points.txt": "[console_scripts]\nchainwright = chainwright_toy:main\n",
        ".dist-info/licenses/LICENSE": "MIT, as it is",
    }
    found = [
        wheel(wheels, "chainwright", service, ["Requires-Dist: toy-part", "License-Expression: MIT"]),
        wheel(
            wheels,
            "toy_part",
            {"toy_part.py": "", "_vendor/other-2.0.dist-info/METADATA": "Name: other"},
            ["Classifier: License :: OSI Approved :: BSD License"],
        ),
    ]
    bundled = pytest.importorskip("ensurepip._bundled", reason="this Python brings no pip along")
    (pip,) = (each for each in resources.files(bundled).iterdir() if each.name.startswith("pip-"))
    found.append(wheels / pip.name)
    found[-1].write_bytes(pip.read_bytes())
    return assemble(tmp_path / "bundle", found)


def install(bundle: Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run install.sh as a user whose pip is told to look elsewhere, without a network where namespaces are allowed."""
    alone = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], capture_output=True).returncode:
        alone = []
    away = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_FIND_LINKS": "/nowhere", "PIP_REQUIRE_VIRTUALENV": "1"}
    given = {"PATH": os.environ["PATH"], "HOME": str(bundle.parent), "PYTHON": sys.executable} | away | environment
    command = [*alone, "sh", str(bundle / "install.sh"), str(folder)]
    return subprocess.run(command, env=given, capture_output=True, text=True, timeout=120)


def test_it_installs_and_answers_without_a_network(made: Path, tmp_path: Path) -> None:
    done = install(made, tmp_path / "there")
    assert done.returncode == 0, done.stdout + done.stderr
    answer = subprocess.run([tmp_path / "there" / "bin" / "chainwright"], capture_output=True, text=True, env={})
    assert answer.stdout == "answered with toy_part\n"
    again = install(made, tmp_path / "there")
    assert again.returncode == 2 and "is there already" in again.stderr


def test_manifest_licences_and_checksums(made: Path) -> None:
    manifest = json.loads((made / MANIFEST).read_text("utf-8"))
    assert manifest["install"] == "chainwright"
    licences = {each["name"]: (each["version"], each["licence"]) for each in manifest["packages"]}
    assert licences["chainwright"] == ("1.0", "MIT") and licences["toy_part"] == ("1.0", "BSD License")
    assert (made / "licences" / "chainwright-1.0" / "LICENSE").read_text() == "MIT, as it is"
    listed = dict(reversed(line.split("  ")) for line in (made / CHECKSUMS).read_text("utf-8").splitlines())
    there = {file.relative_to(made).as_posix(): file for file in made.rglob("*") if file.is_file()}
    assert listed.keys() == there.keys() - {CHECKSUMS}
    assert {"install.sh", "README.md", "README.zh.md", MANIFEST} < listed.keys()
    for name, digest in listed.items():
        assert hashlib.sha256(there[name].read_bytes()).hexdigest() == digest


def test_what_is_damaged_is_named_and_nothing_is_left(made: Path, tmp_path: Path) -> None:
    (made / "wheels" / "toy_part-1.0-py3-none-any.whl").write_bytes(b"cut")
    (made / "licences" / "chainwright-1.0" / "LICENSE").unlink()
    done = install(made, tmp_path / "there")
    assert done.returncode == 2 and "toy_part-1.0" in done.stderr and "licences/chainwright-1.0" in done.stderr
    assert not (tmp_path / "there").exists()


@pytest.mark.parametrize(("entry", "told"), [("python", "the packages are for 3.1"), ("platform", "are for amiga-68k")])
def test_another_machine_is_told_so(entry: str, told: str, made: Path, tmp_path: Path) -> None:
    path = made / MANIFEST
    manifest = json.loads(path.read_text("utf-8")) | {entry: {"python": "3.1", "platform": "amiga-68k"}[entry]}
    path.write_text(json.dumps(manifest, indent=1))
    done = install(made, tmp_path / "there")
    assert done.returncode == 2 and told in done.stderr and "Traceback" not in done.stderr
    absent = install(made, tmp_path / "there", PYTHON="no-such-python")
    assert absent.returncode == 2 and "there is no no-such-python" in absent.stderr


def test_targets_and_sources_that_will_not_do(tmp_path: Path) -> None:
    for arguments, told in {
        (str(tmp_path),): "is there already",
        (str(tmp_path / "no" / "such"),): "there is no folder",
        (str(tmp_path / "new"), "--source", str(tmp_path)): "is no source tree of chainwright: pyproject.toml",
    }.items():
        refused = CliRunner().invoke(cli, ["bundle", *arguments])
        assert refused.exit_code == 2 and told in refused.output and "Traceback" not in refused.output
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(WheelError, match="remedy: "):
        build(tmp_path, [], tmp_path / "wheels")
