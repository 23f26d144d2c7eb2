"""The readings task: its registration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.console import Group, RenderableType

from app.engine.engine import Engine
from app.tasks.parts import events_of
from app.tasks.readings.checks import readings_of
from app.tasks.readings.read import ReadingRun
from app.tasks.readings.readers import readers_of
from app.tasks.readings.schemas import ReadingReport, ReadingsAnswer, ReadingsRequest
from app.tasks.readings.shown import shown
from app.tasks.task import Cell, Event, Task, in_lines, picked


@dataclass(frozen=True)
class Readings(Task[ReadingsRequest, ReadingsAnswer]):
    """Answers to questions about a passage."""

    kind = "readings"
    path = "/v1/readings"
    request = ReadingsRequest
    answer = ReadingsAnswer
    tag = "retrieval"
    summary = "Questions about a passage, to spans of it"
    description = """
        Answer questions about a passage, each with spans of it.

        The language model reads the passage once, then each question, and writes the answer token by token; at each
        step it may only go on with what leads to a span of the passage. So every answer stands in the passage, with
        its place there. Where the passage does not tell, `no_answer` says so. When the client leaves, the search stops.
        """
    found = "An answer for each question."
    events = (
        "`stream: true` answers with server-sent events, each with JSON in `data`: `answer` (an Answered) as soon as a "
        "question is answered, in whatever order; at the end `done` (a ReadingsAnswer), or `error` (a Problem) should "
        "the search fail midway. Lines that begin with a colon are comments."
    )
    argument = "questions"
    listed = "readings"
    columns: ClassVar[Mapping[str, type]] = {"text": str, "confidence": float, "no_answer": bool, "others": str}
    options: ClassVar[Mapping[str, str | None]] = {"question": None, "n": "-n"}

    def check(self, request: ReadingsRequest, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        readings_of(request, engine, readers_of(engine))

    def expected_seconds(self, request: ReadingsRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return 0.003 * len(request.passage) + 0.1 * len(request.asked)

    async def run(self, request: ReadingsRequest, engine: Engine) -> ReadingsAnswer:
        """See :meth:`Task.run`."""
        async with self._running(request, engine) as run:
            async for _ in run.answers():
                pass
            return run.answer()

    @asynccontextmanager
    async def stream(self, request: ReadingsRequest, engine: Engine) -> AsyncIterator[AsyncGenerator[Event]]:
        """See :meth:`Task.stream`."""
        async with self._running(request, engine) as run:
            yield events_of(run)

    @asynccontextmanager
    async def _running(self, request: ReadingsRequest, engine: Engine) -> AsyncIterator[ReadingRun]:
        """The run of a request, in its turn.

        Raises:
            ProblemError: 422 for a request that cannot be met, 429 if too many wait.
        """
        readers = readers_of(engine)
        readings = await asyncio.to_thread(readings_of, request, engine, readers)
        async with engine.admission.take():
            yield ReadingRun(request, readings, engine)

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The first question's best span, and the other spans."""
        found = next(iter(answer.get(cls.listed) or [{}]))
        best, *others = found.get("spans") or [{}]
        return picked({**found, **best}, cls.columns) | {"others": in_lines(each["text"] for each in others)}

    @classmethod
    def render(cls, answer: ReadingsAnswer) -> RenderableType:
        """A table for each question."""
        return Group(*map(shown, answer.readings))

    @classmethod
    def render_event(cls, event: Event) -> RenderableType | None:
        """The question answered last."""
        return shown(event.data) if isinstance(event.data, ReadingReport) else None
