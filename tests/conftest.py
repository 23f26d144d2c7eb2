"""Settings shared by all tests."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

# A shared machine stalls now and then; a slow example is no defect.
settings.register_profile("chainwright", deadline=None, derandomize=True)
settings.load_profile("chainwright")


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
