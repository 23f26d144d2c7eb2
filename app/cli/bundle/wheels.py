"""Wheels of the service, of its client and of all that they need, as pip finds or builds them."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PARTS = ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE", "app", "client", "models", "samplers")
"""What a build takes."""

CONSTRAINTS = "constraints-cpu.txt"

_LEFT_OVER = shutil.ignore_patterns("__pycache__", "build", "*.egg-info", "*.so")


class WheelError(RuntimeError):
    """The wheels cannot be had; the message says why and, after "; remedy: ", how to mend it."""


def build(source: Path, extras: Sequence[str], folder: Path) -> list[Path]:
    """Collect the wheels in a new folder: pip's own too, which installs the others.

    Args:
        source: the source tree.
        extras: optional dependencies to be had besides.
        folder: where the wheels go.

    Raises:
        WheelError: this is no source tree, there is no pip, or pip fails.
    """
    missing = [part for part in (*PARTS, CONSTRAINTS) if not (source / part).exists()]
    if missing:
        raise WheelError(
            f"{source} is no source tree of chainwright: {missing[0]} is not there; remedy: run the command in one, or "
            "name it with --source"
        )
    if importlib.util.find_spec("pip") is None:
        raise WheelError("this Python has no pip; remedy: run python -m ensurepip first")
    with tempfile.TemporaryDirectory() as scratch:
        # In a copy, so that nothing of an earlier build gets in, nor anything of this one into the tree.
        tree = Path(scratch)
        for part in PARTS:
            if (source / part).is_dir():
                shutil.copytree(source / part, tree / part, ignore=_LEFT_OVER)
            else:
                shutil.copy2(source / part, tree / part)
        service = f"{tree}[{','.join(extras)}]" if extras else str(tree)
        _pip(
            "wheel",
            "--wheel-dir",
            str(folder),
            "--constraint",
            str(source / CONSTRAINTS),
            "pip",
            f"{tree}/client",
            service,
        )
    return sorted(folder.glob("*.whl"))


def _pip(*arguments: str) -> None:
    # What pip says is progress: the command's own output is its last line.
    done = subprocess.run([sys.executable, "-m", "pip", *arguments, "--progress-bar", "off"], stdout=sys.stderr)
    if done.returncode:
        raise WheelError(
            "pip could not collect the packages, as it says above; remedy: run this where pip reaches an index of "
            "packages, perhaps a mirror: pip config set global.index-url URL"
        )
