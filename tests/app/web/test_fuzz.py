"""A sample of the fuzzed requests of benchmarks/fuzz.py, which sends a hundred thousand and looks at their time."""

from __future__ import annotations

import asyncio
from pathlib import Path

from benchmarks.fuzz import fuzz
from tests.support import tiny_service as tiny
from tests.support.service_process import service


def test_no_request_is_answered_by_a_failure(tmp_path: Path) -> None:
    with service(tiny.save_with_bytes(tmp_path / "model"), tmp_path, retrieval_adapter="none") as (_, url):
        findings = asyncio.run(fuzz(url, count=1500, seed=20_26, longest=300))
    assert not findings.failures, "\n".join(findings.failures[:5])
    assert findings.statuses["200"] > 100 and findings.statuses["422"] > 100
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8", "replace")
