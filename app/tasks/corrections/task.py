"""The corrections task: its registration."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.console import RenderableType
from rich.text import Text

from app.engine.engine import Engine
from app.tasks.corrections.correct import CorrectionRun
from app.tasks.corrections.schemas import Correction, CorrectionReport, CorrectionsAnswer, CorrectionsRequest
from app.tasks.corrections.sources import sources_of
from app.tasks.parts import TaskInParts
from app.tasks.task import Cell, in_lines, picked


@dataclass(frozen=True)
class Corrections(TaskInParts[CorrectionsRequest, CorrectionsAnswer]):
    """Errors in texts, mended."""

    kind = "corrections"
    path = "/v1/corrections"
    request = CorrectionsRequest
    answer = CorrectionsAnswer
    tag = "corrections"
    summary = "Errors in texts, mended"
    description = """
        Mend Chinese and English texts, each edit with its probability.

        The language model weighs the text against those that sound, look or are spelled like it, and as asked against
        those with words more, fewer or in another order; what it is surest of is written. Digits stay as they are, and
        names and words that are to be protected.
        """
    found = "The texts in their order, changed or not."
    events = (
        "`stream: true` answers with server-sent events, each with JSON in `data`: `correction` (a CorrectionReport) "
        "as each text is done, in any order; at the end `done` (the plain answer), or `error` (a Problem) should the "
        "run fail midway. Lines that begin with a colon are comments."
    )
    event = "correction"
    argument = "texts"
    listed = "corrections"
    columns: ClassVar[Mapping[str, type]] = {"text": str, "changed": bool, "edits": str}
    options: ClassVar[Mapping[str, str | None]] = {"edits": "--edit", "names": "--name", "kinds": "--kind"}

    def check(self, request: CorrectionsRequest, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        sources_of(request, engine.model, engine.limits)

    def expected_seconds(self, request: CorrectionsRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return 0.01 * sum(map(len, request.texts))

    @asynccontextmanager
    async def running(self, request: CorrectionsRequest, engine: Engine) -> AsyncIterator[CorrectionRun]:
        """See :meth:`TaskInParts.running`.

        Raises:
            ProblemError: 422 for a request that cannot be met, 429 if too many wait.
        """
        sources = await asyncio.to_thread(sources_of, request, engine.model, engine.limits)
        async with engine.admission.take():
            yield CorrectionRun(request, sources, engine)

    @classmethod
    def body_of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """Of a pair the two words, an equals sign between them."""
        if "edits" in body:
            body["edits"] = [dict(zip(("old", "new"), pair.split("=", 1), strict=False)) for pair in body["edits"]]
        return body

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The first text as it was meant, and each edit as ``old=new``."""
        found = next(iter(answer.get(cls.listed) or [{}]))
        edits = in_lines(f"{edit['old']}={edit['new']}" for edit in found.get("edits", ()))
        return picked({**found, "text": found.get("target"), "edits": edits}, cls.columns)

    @staticmethod
    def render_part(part: Correction | CorrectionReport) -> RenderableType:
        """A text, what is taken out struck through, what is put in underlined."""
        correction = part.correction if isinstance(part, CorrectionReport) else part
        line, at = Text(), 0
        for edit in correction.edits:
            line.append(correction.source[at : edit.start])
            line.append(edit.old, style="red strike")
            line.append(edit.new, style="green underline")
            at = edit.end
        return line.append(correction.source[at:])

    @classmethod
    def note(cls, answer: CorrectionsAnswer) -> str:
        """See :meth:`Task.note`."""
        return f"{sum(one.changed for one in answer.corrections)} of {len(answer.corrections)} texts changed"
