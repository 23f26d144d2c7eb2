"""`chainwright` with arguments from the environment, for processes that a nursery forks."""

from __future__ import annotations

import json
import os

from app.cli.main import cli


def main() -> None:
    """Run CHAINWRIGHT_TEST_ARGUMENTS, a JSON list."""
    cli(json.loads(os.environ["CHAINWRIGHT_TEST_ARGUMENTS"]))
