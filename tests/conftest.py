"""Settings shared by all tests."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.support.quick_command import installed

# A shared machine stalls now and then; a slow example is no defect.
settings.register_profile("chainwright", deadline=None, derandomize=True)
settings.load_profile("chainwright")


@pytest.fixture(scope="session")
def chainwright() -> Iterator[Path]:
    """The command `chainwright`, a process of its own each time that starts at once."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder, installed(Path(folder)):
        yield Path(folder) / "chainwright"


@pytest.fixture(scope="session", autouse=True)
def disk_with_power() -> Iterator[None]:
    """No test cuts the power, and what a killed process has written is there: waiting for the disk tells nothing."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda handle: None)
        yield


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Undo what a command that ran in this process set: later tests read the records that it would keep back."""
    config, root = structlog.get_config(), logging.getLogger()
    # capture_logs changes the list in place.
    processors, handlers, level = [*config["processors"]], [*root.handlers], root.level
    yield
    structlog.configure(**{**config, "processors": processors})
    root.handlers = handlers
    root.setLevel(level)
