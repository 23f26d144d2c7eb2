"""The search task: its registration."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from app.engine.engine import Engine
from app.indexes.opened import retrieval_of
from app.indexes.schemas import IndexName
from app.tasks.parts import TaskInParts
from app.tasks.search.checks import check
from app.tasks.search.schemas import SearchAnswer, SearchRequest
from app.tasks.search.search import SearchRun, prepared
from app.tasks.search.shown import shown
from app.tasks.task import Cell, in_lines, picked


@dataclass(frozen=True)
class Search(TaskInParts[SearchRequest, SearchAnswer]):
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
    render_part = staticmethod(shown)

    def check(self, request: SearchRequest, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        check(request, engine.limits)
        retrieval_of(engine).open(self.name, "url")

    def expected_seconds(self, request: SearchRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return 0.3 * len(request.questions)

    def running(self, request: SearchRequest, engine: Engine) -> AbstractAsyncContextManager[SearchRun]:
        """See :meth:`TaskInParts.running`."""
        return prepared(self.name, request, retrieval_of(engine), engine.admission)

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The first question's best key with its values, and the other keys."""
        found = next(iter(answer.get(cls.listed) or [{}]))
        best, *others = found.get("results") or [{}]
        cells = picked({**found, **best}, cls.columns)
        return cells | {"values": in_lines(best.get("values", ())), "others": in_lines(each["text"] for each in others)}

    @classmethod
    def note(cls, answer: SearchAnswer) -> str:
        """See :meth:`Task.note`."""
        return f"Note: {answer.model.note}." if answer.model.note else ""
