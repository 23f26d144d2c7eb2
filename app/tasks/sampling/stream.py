"""A run as server-sent events."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator

from app.tasks.keywords.service import SentencesRun
from app.tasks.task import Event

STEP_SECONDS = 0.2
"""Least time between two `step` events."""


async def events(sampling: SentencesRun) -> AsyncGenerator[Event]:
    """The events of a run.

    ``step`` at most every :data:`STEP_SECONDS`, the first and the last step always; ``sentence``
    whenever the best sentence so far is found; at the end ``done`` with the full answer.
    """
    due = 0.0
    async for progress in sampling.progress():
        if progress.best is not None:
            yield Event("sentence", sampling.sentence(progress.best))
        now = time.monotonic()
        if now >= due or progress.step.number == sampling.request.sampler.steps:
            due = now + STEP_SECONDS
            yield Event("step", sampling.report(progress.step))
    yield Event("done", sampling.answer())
