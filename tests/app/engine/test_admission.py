"""Admission, and what happens when nobody is left."""

from __future__ import annotations

import asyncio

import pytest

from app.engine import admission
from app.engine.admission import Admission
from tests.support.virtual_time import run


def test_rest_begins_once_nobody_has_come_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "IDLE_SECONDS", 0.1)
    rests: list[int] = []

    async def scenario() -> list[int]:
        turns = Admission(1, 1, lambda: rests.append(1))
        seen = []
        for _ in range(3):
            async with turns.take():
                await asyncio.sleep(0.05)
            await asyncio.sleep(0.05)  # the next one comes before the rest begins
            seen.append(len(rests))
        await asyncio.sleep(0.15)
        seen.append(len(rests))
        await asyncio.sleep(0.2)
        seen.append(len(rests))
        return seen

    assert run(scenario()) == [0, 0, 0, 1, 1]
