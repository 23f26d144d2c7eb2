"""The threads of the real forward do not spin for long."""

from __future__ import annotations

import os
import subprocess
import sys


def test_openmp_threads_spin_but_for_a_moment() -> None:
    """Whatever part of the service is imported first, libgomp reads the policy before it starts."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "GOMP_"))}
    for module in ("app.main", "app.cli.main", "models.language.loading"):
        shown = subprocess.run(
            [sys.executable, "-c", f"import {module}, torch"],
            env={**environment, "OMP_DISPLAY_ENV": "verbose"},
            capture_output=True,
            text=True,
            check=True,
            timeout=120,
        ).stderr
        assert "OMP_WAIT_POLICY = 'PASSIVE'" in shown, (module, shown)
        assert "GOMP_SPINCOUNT = '10000'" in shown, (module, shown)
