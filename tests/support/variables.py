"""Settings of tiny models, as variables of the environment."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import structlog

ALONE = {"offline": "1", "redis_url": "off", "torch_threads": "1", "device": "cpu"}
"""What needs nothing outside of the process, and little of the machine."""


def process_variables(model: Path, key_model: Path, folder: Path) -> dict[str, str]:
    """Settings, by names in lower case, of a process with the models of these folders and its state in another."""
    return ALONE | {
        "model": str(model),
        "retrieval_model": str(key_model),
        "precision": "float32",
        "cache_dir": str(folder / "cache"),
        "state_dir": str(folder / "state"),
        "lease_seconds": "1",
    }


def set_variables(monkeypatch: pytest.MonkeyPatch, **settings: str) -> None:
    """Set settings, and :data:`ALONE` beside them."""
    for name, value in (ALONE | settings).items():
        monkeypatch.setenv(f"CHAINWRIGHT_{name.upper()}", value)


@contextmanager
def logging_as_before() -> Iterator[None]:
    """Logging as a command sets it up ends with the context."""
    handlers = logging.getLogger().handlers
    yield
    structlog.reset_defaults()
    logging.getLogger().handlers = handlers
