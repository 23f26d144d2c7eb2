"""The links task: its registration."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from app.engine.engine import Engine
from app.indexes.opened import retrieval_of
from app.tasks.links.link import LinksRun, check, prepared
from app.tasks.links.schemas import Linked, LinksAnswer, LinksRequest
from app.tasks.parts import TaskInParts
from app.tasks.task import Cell, in_lines, picked


@dataclass(frozen=True)
class Links(TaskInParts[LinksRequest, LinksAnswer]):
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
        retrieval_of(engine).open(request.index, "index")

    def expected_seconds(self, request: LinksRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return 0.01 * sum(map(len, request.given))

    def running(self, request: LinksRequest, engine: Engine) -> AbstractAsyncContextManager[LinksRun]:
        """See :meth:`TaskInParts.running`."""
        return prepared(request, retrieval_of(engine), engine.admission)

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The first text, and the likeliest entity of each mention."""
        linked = next(iter(answer.get(cls.listed) or [{}]))
        pairs = (f"{mention['text']}={mention['keys'][0]['text']}" for mention in linked.get("mentions", ()))
        return picked(linked, cls.columns) | {"links": in_lines(pairs)}

    @staticmethod
    def render_part(part: Linked) -> RenderableType:
        """A text, its mentions underlined, and a table of them."""
        line = Text(part.text)
        table = Table("characters", "mention", "confidence", "entities", box=None)
        for mention in part.mentions:
            line.stylize("underline", mention.start, mention.end)
            entities = "; ".join(f"{key.text} {key.confidence:.3f}" for key in mention.keys)
            place = f"{mention.start} to {mention.end}"
            table.add_row(place, escape(mention.text), f"{mention.confidence:.3f}", escape(entities))
        return Group(line, table) if part.mentions else line

    @classmethod
    def note(cls, answer: LinksAnswer) -> str:
        """See :meth:`Task.note`."""
        return f"Note: {answer.model.note}." if answer.model.note else ""
