"""What happens every so often happens together."""

from __future__ import annotations

import time

import pytest

from app.jobs.work.aligned_timer import to_tick


@pytest.mark.parametrize("now", [0.0, 0.25, 1.999, 86_400.5])
def test_ticks_of_a_longer_time_are_ticks_of_its_parts(now: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert 0 < to_tick(1.0) <= 1.0 and 0 < to_tick(2.0) <= 2.0
    assert (now + to_tick(1.0)) % 1.0 == pytest.approx(0.0, abs=1e-9)
    assert to_tick(2.0) - to_tick(1.0) in (pytest.approx(0.0, abs=1e-9), pytest.approx(1.0))
