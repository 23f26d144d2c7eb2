"""A run as server-sent events."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator

from app.tasks.keywords.service import SentencesRun
from app.web.events import event

STEP_SECONDS = 0.2
"""Least time between two `step` events."""


async def events(sampling: SentencesRun) -> AsyncGenerator[bytes]:
    """The events of a run.

    ``step`` at most every :data:`STEP_SECONDS`, the first and the last step always; ``sentence``
    whenever the best sentence so far is found; at the end ``done`` with the full answer.
    """
    due = 0.0
    async for progress in sampling.progress():
        if progress.best is not None:
            yield event("sentence", sampling.sentence(progress.best))
        now = time.monotonic()
        if now >= due or progress.step.number == sampling.request.sampler.steps:
            due = now + STEP_SECONDS
            yield event("step", sampling.report(progress.step))
    yield event("done", sampling.answer())
