"""constraints-tested.txt has a release of everything that this project asks for, and one that it allows."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
TESTED = ROOT / "constraints-tested.txt"
pytestmark = pytest.mark.skipif(not TESTED.exists(), reason="`make newest` has not yet written constraints-tested.txt")
OWN = {"chainwright", "chainwright-client"}


def pins(file: Path) -> dict[str, str]:
    lines = file.read_text("utf-8").splitlines()
    pinned = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {canonicalize_name(package): release for package, release in pinned}


def asked() -> Iterator[Requirement]:
    for file in ("pyproject.toml", "client/pyproject.toml"):
        project = tomllib.loads((ROOT / file).read_text("utf-8"))["project"]
        extras = project["optional-dependencies"]
        yield from map(Requirement, project["dependencies"])
        # The file is of what `make test` installs.
        for extra in ("dev", "arviz"):
            yield from map(Requirement, extras.get(extra, ()))


def test_every_requirement_has_a_release_that_it_allows() -> None:
    tested = pins(TESTED)
    for requirement in asked():
        if requirement.name not in OWN and (requirement.marker is None or requirement.marker.evaluate()):
            assert requirement.specifier.contains(tested[canonicalize_name(requirement.name)]), requirement.name


def test_it_agrees_with_the_constraints_for_cpus() -> None:
    assert pins(ROOT / "constraints-cpu.txt").items() <= pins(TESTED).items()
