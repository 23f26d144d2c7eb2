"""Which builds of the compiled layers an installation makes, by the machine it is made on."""

from __future__ import annotations

import platform
import runpy
from pathlib import Path
from typing import Any

import pytest
import setuptools

SETUP = Path(__file__).parent.parent / "setup.py"


@pytest.mark.parametrize(
    ("machine", "builds"),
    [
        ("x86_64", {"any": "x86_64", "avx2": "x86_64_v3", "avx512": "x86_64_v4"}),
        ("AMD64", {"any": "x86_64", "avx2": "x86_64_v3", "avx512": "x86_64_v4"}),
        ("aarch64", {"any": "baseline"}),
        ("arm64", {"any": "baseline"}),
        ("riscv64", {"any": "baseline"}),
    ],
)
def test_builds(machine: str, builds: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(setuptools, "setup", lambda **options: asked.append(options))
    assert runpy.run_path(str(SETUP))["BUILDS"] == builds
    modules = asked[0]["ext_modules"]
    assert [module.name for module in modules] == [f"models.language.forward.layer_{name}" for name in builds]
    assert all(module.optional for module in modules), "where a build fails, chainwright runs without"
