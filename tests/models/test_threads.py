"""The threads of the real forward sleep while they wait."""

from __future__ import annotations

import os
import subprocess
import sys


def test_openmp_threads_sleep_while_they_wait() -> None:
    """Whatever part of the service is imported first, libgomp reads the policy before it starts."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    for module in ("app.main", "app.cli", "models.language.loading"):
        shown = subprocess.run(
            [sys.executable, "-c", f"import {module}, torch"],
            env={**environment, "OMP_DISPLAY_ENV": "true"},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stderr
        assert "OMP_WAIT_POLICY = 'PASSIVE'" in shown, (module, shown)
