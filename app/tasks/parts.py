"""Runs that answer one part of a request after another."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Protocol

from pydantic import BaseModel

from app.tasks.task import Event


class Parts(Protocol):
    """A run whose parts are answered in whatever order."""

    def answers(self) -> AsyncGenerator[BaseModel]:
        """Each part's answer, as soon as there is one."""
        ...

    def answer(self) -> BaseModel:
        """All of them, once :meth:`answers` has ended."""
        ...


async def events_of(run: Parts) -> AsyncGenerator[Event]:
    """An event ``answer`` for each part, and ``done`` at last."""
    async with aclosing(run.answers()) as answers:
        async for answer in answers:
            yield Event("answer", answer)
    yield Event("done", run.answer())
