"""The search task: its registration."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.console import Group, RenderableType

from app.engine.engine import Engine
from app.indexes.opened import retrieval_of
from app.indexes.problems import as_problem
from app.indexes.schemas import IndexName
from app.tasks.parts import events_of
from app.tasks.search import search
from app.tasks.search.checks import check
from app.tasks.search.schemas import QueryAnswer, SearchAnswer, SearchRequest
from app.tasks.search.shown import shown
from app.tasks.task import Cell, Event, Task, in_lines, picked


@dataclass(frozen=True)
class Search(Task[SearchRequest, SearchAnswer]):
    """Keys of an index that answer questions.

    Attributes:
        name: of the index.
    """

    name: IndexName

    kind = "search"
    path = "/v1/indexes/{name}/search"
    request = SearchRequest
    answer = SearchAnswer
    tag = "retrieval"
    summary = "Questions to keys"
    description = """
        Find the keys of an index that answer a question, and what the index has under them.

        A Seq2Seq model reads the question and writes the key, token by token; at each step it may only
        go on with what leads to a key of the index. When the client leaves, the search stops.
        """
    found = "An answer for each question."
    events = (
        "`stream: true` answers with server-sent events, each with JSON in `data`: `answer` (an Answered) as soon as a "
        "question is answered, in whatever order; at the end `done` (a SearchAnswer), or `error` (a Problem) should "
        "the search fail midway. Lines that begin with a colon are comments."
    )
    statuses = (400, 404, 409, 413, 415, 422, 429, 500, 503)
    argument = "queries"
    listed = "answers"
    columns: ClassVar[Mapping[str, type]] = {
        "text": str,
        "values": str,
        "confidence": float,
        "no_answer": bool,
        "others": str,
    }
    options: ClassVar[Mapping[str, str | None]] = {"query": None, "n": "-n"}
    model_setting = "retrieval_model"

    def check(self, request: SearchRequest, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        check(request, engine.limits)
        library = retrieval_of(engine).library
        with as_problem(library.root, "url"):
            library.open(self.name)

    def expected_seconds(self, request: SearchRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return 0.3 * len(request.questions)

    async def run(self, request: SearchRequest, engine: Engine) -> SearchAnswer:
        """See :meth:`Task.run`."""
        return await search.complete(self.name, request, retrieval_of(engine), engine.admission)

    @asynccontextmanager
    async def stream(self, request: SearchRequest, engine: Engine) -> AsyncIterator[AsyncGenerator[Event]]:
        """See :meth:`Task.stream`."""
        async with search.prepared(self.name, request, retrieval_of(engine), engine.admission) as run:
            yield events_of(run)

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The first question's best key with its values, and the other keys."""
        found = next(iter(answer.get(cls.listed) or [{}]))
        best, *others = found.get("results") or [{}]
        cells = picked({**found, **best}, cls.columns)
        return cells | {"values": in_lines(best.get("values", ())), "others": in_lines(each["text"] for each in others)}

    @classmethod
    def render(cls, answer: SearchAnswer) -> RenderableType:
        """A table for each question, and what explains it."""
        return Group(*map(shown, answer.answers))

    @classmethod
    def note(cls, answer: SearchAnswer) -> str:
        """See :meth:`Task.note`."""
        return f"Note: {answer.model.note}." if answer.model.note else ""

    @classmethod
    def render_event(cls, event: Event) -> RenderableType | None:
        """The question answered last."""
        return shown(event.data) if isinstance(event.data, QueryAnswer) else None
