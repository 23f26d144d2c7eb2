from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.variables import logging_as_before, process_variables, set_variables


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, for the queue's socket."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        yield Path(folder)


@pytest.fixture
def variables(model_folder: Path, key_model_folder: Path, folder: Path) -> dict[str, str]:
    return process_variables(model_folder, key_model_folder, folder)


@pytest.fixture(autouse=True)
def _environment(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    set_variables(monkeypatch, **variables)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with logging_as_before():
        yield
