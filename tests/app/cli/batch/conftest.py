from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path, for the queue's socket."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        yield Path(folder)


@pytest.fixture
def variables(model_folder: Path, key_model_folder: Path, folder: Path) -> dict[str, str]:
    return {
        "model": str(model_folder),
        "retrieval_model": str(key_model_folder),
        "device": "cpu",
        "precision": "float32",
        "offline": "true",
        "torch_threads": "1",
        "cache_dir": str(folder / "cache"),
        "state_dir": str(folder / "state"),
        "redis_url": "off",
        "lease_seconds": "1",
    }


@pytest.fixture(autouse=True)
def _environment(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, value in variables.items():
        monkeypatch.setenv(f"CHAINWRIGHT_{name.upper()}", value)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    handlers = logging.getLogger().handlers
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers = handlers
