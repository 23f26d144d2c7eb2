"""The keywords task: its registration."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.console import RenderableType

from app.engine.engine import Engine
from app.tasks.keywords.plan import make_plan
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.keywords.service import complete, prepared
from app.tasks.sampling import stream
from app.tasks.sampling.schemas import SentencesAnswer, StepReport
from app.tasks.sampling.view import answer_table, chains_table
from app.tasks.task import Event, Task


@dataclass(frozen=True)
class Sentences(Task[SentencesRequest, SentencesAnswer]):
    """Sentences that hold given keywords; a unit is a step of a chain."""

    kind = "sentences"
    path = "/v1/sentences"
    request = SentencesRequest
    answer = SentencesAnswer
    tag = "sentences"
    summary = "Keywords to sentences"
    description = """
        Write fluent sentences that hold all the keywords.

        Markov chains edit sentences by inserting, deleting and replacing tokens; a language model
        scores each edit; the keywords, the length and the forbidden words hold at every step. No
        training, no prompt. When the client leaves, the chains stop.
        """
    found = "The sentences, most fluent first."
    events = (
        "`stream: true` answers with server-sent events, each with JSON in `data`: `sentence` (a Sentence) whenever a "
        "sentence better than all before is found; `step` (a StepReport), at most five a second; at the end `done` (a "
        "SentencesAnswer), or `error` (a Problem) should the run fail midway. Lines that begin with a colon are "
        "comments."
    )
    unit_seconds = 4e-3
    argument = "keywords"
    options: ClassVar[Mapping[str, str | None]] = {
        "forbidden": "--forbid",
        "length.min": "--min",
        "length.max": "--max",
        "sampler.kind": "--kind",
        "sampler.schedule.kind": "--schedule",
        "sampler.schedule.start": "--beta-start",
        "sampler.schedule.stop": "--beta-stop",
    }

    def check(self, request: SentencesRequest, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        make_plan(request, engine.model, engine.limits)

    def units(self, request: SentencesRequest) -> float:
        """See :meth:`Task.units`."""
        return float((request.sampler.steps + 1) * request.sampler.chains)

    async def run(self, request: SentencesRequest, engine: Engine) -> SentencesAnswer:
        """See :meth:`Task.run`."""
        return await complete(request, engine)

    @asynccontextmanager
    async def stream(self, request: SentencesRequest, engine: Engine) -> AsyncIterator[AsyncGenerator[Event]]:
        """See :meth:`Task.stream`."""
        async with prepared(request, engine) as sampling:
            yield stream.events(sampling)

    @classmethod
    def body_of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """``a|b|c`` for forms of a keyword, and ``--beta`` for Metropolis-Hastings."""
        sampler = body.get("sampler", {})
        if "beta" in sampler:
            sampler.setdefault("kind", "metropolis")
        keywords = [word.split("|") if "|" in word else word for word in body["keywords"]]
        return body | {"keywords": keywords}

    @classmethod
    def render(cls, answer: SentencesAnswer) -> RenderableType:
        """The sentences, and a line on how the run went."""
        return answer_table(answer)

    @classmethod
    def render_event(cls, event: Event) -> RenderableType | None:
        """The chains where they stand."""
        return chains_table(event.data) if isinstance(event.data, StepReport) else None
