"""The Docker files are well formed; docker/check builds and runs the image, which takes root and minutes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import venv
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings.settings import Limits, Settings

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text("utf-8"))
    return content


def test_linters_find_nothing() -> None:
    done = subprocess.run([sys.executable, ROOT / "docker" / "check", "--lint"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("nothing found") == 2


def test_the_check_refuses_what_is_wrong(tmp_path: Path) -> None:
    """The linters are really asked."""
    for name, spoil in {
        "docker/Dockerfile": lambda text: text.replace("WORKDIR /source", "WORKDIR source"),
        "docker-compose.yml": lambda text: text.replace("restart:", "restarts:"),
    }.items():
        root = tmp_path / name.replace("/", "-")
        for file in ("docker/Dockerfile", "docker/check", "docker-compose.yml"):
            text = (ROOT / file).read_text("utf-8")
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_text(spoil(text) if file == name else text, "utf-8")
        done = subprocess.run([sys.executable, root / "docker" / "check", "--lint"], capture_output=True, text=True)
        assert done.returncode == 1, name


def test_every_variable_of_the_compose_file_is_documented(compose: dict[str, Any]) -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    documented = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    names = set(re.findall(r"\$\{([A-Z_]+)", text))
    assert [name for name in sorted(names) if f"`{name}`" not in documented] == []
    known = {f"CHAINWRIGHT_{name.upper()}" for cls in (Settings, Limits) for name in cls.model_fields}
    given = set(compose["services"]["api"]["environment"]) | set(compose["services"]["worker"]["environment"])
    assert {name for name in given if name not in known} <= {"CHAINWRIGHT_QUEUE_URL", "CHAINWRIGHT_WORKER"}


def test_services_start_in_order_restart_and_are_bounded(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {"api", "worker", "worker-gpu", "redis-queue", "redis-cache", "prometheus", "grafana"}
    for name, service in services.items():
        assert service["restart"] == "unless-stopped" and service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"] and service["deploy"]["resources"]["limits"]["memory"], name
        for other, condition in service.get("depends_on", {}).items():
            assert condition == {"condition": "service_healthy"} and services[other]["healthcheck"]["test"]
    assert "container_name" not in services["worker"] and "ports" not in services["worker"]
    assert services["worker-gpu"]["profiles"] == ["gpu"]
    assert services["prometheus"]["profiles"] == services["grafana"]["profiles"] == ["metrics"]
    assert services["worker-gpu"]["deploy"]["resources"]["reservations"]["devices"][0]["capabilities"] == ["gpu"]
    assert "--maxmemory-policy noeviction" in services["redis-queue"]["command"]
    assert "--appendonly yes" in services["redis-queue"]["command"]
    assert "--maxmemory-policy allkeys-lfu" in services["redis-cache"]["command"]


def test_the_image_leaves_nothing_behind() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").split()
    assert ignored[1 + ignored.index("docker/Dockerfile.")] == "*"
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text("utf-8")
    copied = {word for line in re.findall(r"^COPY (?!--from)(.*)", dockerfile, re.M) for word in line.split()[:-1]}
    assert copied == {line.removeprefix("!") for line in ignored if line.startswith("!")}
    assert re.search(r"^USER 10001:10001$", dockerfile, re.M) and "HEALTHCHECK" in dockerfile
    assert not re.search(r"(PASSWORD|TOKEN|SECRET)=", dockerfile)


def test_the_image_says_what_it_is() -> None:
    dockerfile = (ROOT / "docker" / "Dockerfile").read_text("utf-8")
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="(.*)"', dockerfile))
    assert labels.keys() >= {"title", "description", "licenses", "version", "revision", "source"}
    for name in ("VERSION", "REVISION", "SOURCE"):
        assert labels[name.lower()] == f"${name}"
        assert f"\nARG {name}=\n" in dockerfile.rpartition("\nFROM ")[2]


def test_the_bill_of_materials_lists_what_is_installed(tmp_path: Path) -> None:
    """Of a small environment with the metadata of real distributions, since the tool checks each against its schema."""
    names = ("chainwright", "chainwright-client", "fastapi", "torch")
    venv.create(tmp_path / "venv", symlinks=True)
    (packages,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    for name in names:
        (found,) = distributions(name=name, path=[sysconfig.get_path("purelib")])  # and no folder it was built in
        (metadata,) = {file.parent for file in found.files or () if file.name == "METADATA"}
        shutil.copytree(str(found.locate_file(metadata)), packages / metadata)
    output = tmp_path / "sbom.json"
    command = [sys.executable, ROOT / "docker" / "sbom", tmp_path / "venv" / "bin" / "python", output]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    bill = json.loads(output.read_text("utf-8"))
    main = bill["metadata"]["component"]
    assert (main["name"], main["version"], main["type"]) == ("chainwright", version("chainwright"), "application")
    found = {each["name"]: each for each in bill["components"]}
    assert found.keys() == set(names) - {"chainwright"}
    assert all(each["version"] == version(name) for name, each in found.items())
    assert found["fastapi"]["licenses"] and found["fastapi"]["purl"].startswith("pkg:pypi/fastapi@")


def test_no_registry_of_packages_is_named() -> None:
    for name in (
        "docker/Dockerfile",
        "docker/check",
        "docker/sbom",
        "docker-compose.yml",
        "docker/prometheus.yml",
        ".dockerignore",
    ):
        assert not re.search(r"https?://(?!127\.0\.0\.1|\{|\[)", (ROOT / name).read_text("utf-8")), name
