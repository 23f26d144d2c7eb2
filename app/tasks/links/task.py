"""The links task: its registration."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from app.engine.engine import Engine
from app.indexes.opened import retrieval_of
from app.indexes.problems import as_problem
from app.tasks.links.link import check, prepared
from app.tasks.links.schemas import Linked, LinksAnswer, LinksRequest
from app.tasks.parts import events_of
from app.tasks.task import Cell, Event, Task, in_lines, picked


@dataclass(frozen=True)
class Links(Task[LinksRequest, LinksAnswer]):
    """Names in texts, linked to entities of an index."""

    kind = "links"
    path = "/v1/links"
    request = LinksRequest
    answer = LinksAnswer
    tag = "retrieval"
    summary = "Names in texts to entities"
    description = """
        Find the names of an index's subjects in running texts, and link each to the entities that it may mean.

        Names inside longer names or inside words are told from mentions. The model that writes keys reads each text
        with the mention marked, and may write keys of the index alone: how likely it would write each of the entities
        that have the name is how likely that one is meant.
        """
    found = "The texts in their order, each with its mentions."
    events = (
        "`stream: true` answers with server-sent events, each with JSON in `data`: `answer` (a LinkedReport) as soon "
        "as a text is linked, in whatever order; at the end `done` (a LinksAnswer), or `error` (a Problem) should the "
        "run fail midway. Lines that begin with a colon are comments."
    )
    statuses = (400, 404, 409, 413, 415, 422, 429, 500, 503)
    argument = "texts"
    listed = "links"
    columns: ClassVar[Mapping[str, type]] = {"text": str, "links": str}
    options: ClassVar[Mapping[str, str | None]] = {"index": "INDEX", "text": None, "n": "-n"}
    model_setting = "retrieval_model"

    def check(self, request: LinksRequest, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        check(request, engine.limits)
        library = retrieval_of(engine).library
        with as_problem(library.root, "index"):
            library.open(request.index)

    def expected_seconds(self, request: LinksRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return 0.01 * sum(map(len, request.given))

    async def run(self, request: LinksRequest, engine: Engine) -> LinksAnswer:
        """See :meth:`Task.run`."""
        async with prepared(request, retrieval_of(engine), engine.admission) as run:
            async for _ in run.answers():
                pass
            return run.answer()

    @asynccontextmanager
    async def stream(self, request: LinksRequest, engine: Engine) -> AsyncIterator[AsyncGenerator[Event]]:
        """See :meth:`Task.stream`."""
        async with prepared(request, retrieval_of(engine), engine.admission) as run:
            yield events_of(run)

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The first text, and the likeliest entity of each mention."""
        linked = next(iter(answer.get(cls.listed) or [{}]))
        pairs = (f"{mention['text']}={mention['keys'][0]['text']}" for mention in linked.get("mentions", ()))
        return picked(linked, cls.columns) | {"links": in_lines(pairs)}

    @classmethod
    def render(cls, answer: LinksAnswer) -> RenderableType:
        """Each text, its mentions underlined, and a table of them."""
        return Group(*map(_shown, answer.links))

    @classmethod
    def note(cls, answer: LinksAnswer) -> str:
        """See :meth:`Task.note`."""
        return f"Note: {answer.model.note}." if answer.model.note else ""

    @classmethod
    def render_event(cls, event: Event) -> RenderableType | None:
        """The text linked last."""
        return _shown(event.data) if isinstance(event.data, Linked) else None


def _shown(linked: Linked) -> RenderableType:
    line = Text(linked.text)
    table = Table("characters", "mention", "confidence", "entities", box=None)
    for mention in linked.mentions:
        line.stylize("underline", mention.start, mention.end)
        entities = "; ".join(f"{key.text} {key.confidence:.3f}" for key in mention.keys)
        place = f"{mention.start} to {mention.end}"
        table.add_row(place, escape(mention.text), f"{mention.confidence:.3f}", escape(entities))
    return Group(line, table) if linked.mentions else line
