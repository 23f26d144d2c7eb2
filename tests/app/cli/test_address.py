"""Where the service listens."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from app.cli.address import AddressError, try_to_listen, written
from tests.support.service_process import ROOT, service


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(AddressError, match="is taken") as refused:
            try_to_listen("127.0.0.1", port)
        assert refused.value.number == errno.EADDRINUSE
        values = {"CHAINWRIGHT_PORT": str(port), "CHAINWRIGHT_STATE_DIR": str(tmp_path / "state")}
        done = subprocess.run(
            [sys.executable, "-m", "app.cli.entry", "serve"],
            env=os.environ | values,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
        )
    (line,) = done.stderr.splitlines()
    assert done.returncode == 2 and f"127.0.0.1:{port} is taken" in line and "CHAINWRIGHT_PORT" in line
    assert not (tmp_path / "state").exists()


@pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")
def test_an_ipv6_address(model_folder: Path, tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET6) as probe:
        probe.bind(("::1", 0))
        port = probe.getsockname()[1]
    url = f"http://{written('::1', port)}"
    with service(model_folder, tmp_path, address=url, host="[::1]", port=str(port)) as (_, told):
        assert told == url and httpx.get(f"{url}/health", trust_env=False, timeout=300).json() == {"status": "alive"}
