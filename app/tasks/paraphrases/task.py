"""The paraphrases task: its registration, and how the texts of a request run side by side."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.console import Group, RenderableType
from rich.text import Text

from app.engine.engine import Engine
from app.engine.reports import Scorer, UsageReport
from app.languages.choice import choose_language
from app.settings.settings import Limits
from app.tasks.paraphrases.potentials import measured_by, weighed
from app.tasks.paraphrases.problem import check, make_problem
from app.tasks.paraphrases.schemas import (
    OfText,
    ParaphrasesAnswer,
    ParaphrasesPlan,
    ParaphrasesRequest,
    TextParaphrases,
    drawing,
    searching,
)
from app.tasks.paraphrases.source import Source, read_source
from app.tasks.sampling.prepare import begun
from app.tasks.sampling.problem import SamplingProblem
from app.tasks.sampling.run import SamplingRun
from app.tasks.sampling.task import SamplingTask
from app.tasks.sampling.view import answer_table
from app.tasks.task import Cell, Event, Task, in_lines, picked
from models.language.scoring.model import LoadedModel

AT_ONCE = 8
"""Texts of a request whose chains run side by side."""

DRAWN = frozenset({"en"})
"""Languages whose paraphrases are drawn by default: the adapter's law of others is too flat for that."""

EVENTS = {"sentence": "paraphrase", "done": "text"}
"""Names of the events of a text's run that are other than those of the run."""


@dataclass(frozen=True)
class OneText(SamplingTask[ParaphrasesRequest, TextParaphrases]):
    """The paraphrases of one text of a request, whose turn has come."""

    answer = TextParaphrases
    listed = "texts"
    number: int

    def source(self, request: ParaphrasesRequest, model: LoadedModel) -> Source:
        """The text, read.

        Raises:
            ProblemError: 422.
        """
        return read_source(request, self.number, model)

    def problem(self, request: ParaphrasesRequest, model: LoadedModel, limits: Limits) -> SamplingProblem:  # type: ignore[override]
        """See :meth:`SamplingTask.problem`; without its potential, which needs the engine."""
        return make_problem(request, self.source(request, model), model)

    @asynccontextmanager
    async def prepared(self, request: ParaphrasesRequest, engine: Engine) -> AsyncIterator[SamplingRun]:
        """See :meth:`SamplingTask.prepared`; whoever calls it has been admitted."""
        source = await asyncio.to_thread(self.source, request, engine.model)
        bare = await asyncio.to_thread(make_problem, request, source, engine.model)
        async with begun(await weighed(bare, source, request, engine), request, engine) as sampling:
            yield sampling

    async def answered(self, sampling: SamplingRun) -> TextParaphrases:
        """See :meth:`SamplingTask.answered`."""
        assert isinstance(sampling.request, ParaphrasesRequest)
        source = await asyncio.to_thread(self.source, sampling.request, sampling.engine.model)
        return TextParaphrases(
            source=source.given,
            language=source.language.code,
            kept=source.kept,
            texts=[dict(sentence) for sentence in await sampling.chosen()],  # type: ignore[misc]
            **dict(await sampling.account()),
        )


@dataclass(frozen=True)
class Paraphrases(Task[ParaphrasesRequest, ParaphrasesAnswer | ParaphrasesPlan]):
    """Texts in other words."""

    kind = "paraphrases"
    path = "/v1/paraphrases"
    request = ParaphrasesRequest
    answer = ParaphrasesAnswer
    plan = ParaphrasesPlan
    tag = "paraphrases"
    summary = "Texts in other words"
    description = """
        Say sentences in other words.

        Markov chains edit each text; the language model, which is shown the text and asked for it in other words,
        scores what they write. A measure of similarity holds the meaning, a penalty on shared n-grams drives the
        words apart, and numbers, names and the number of negations stay.
        """
    found = "The texts in their order, each with its paraphrases, the best first."
    events = (
        "`stream: true` answers with server-sent events, each with JSON in `data`; those of one text are an OfText, "
        "whose `data` is of `paraphrase` (a Paraphrase) whenever one better than all before is found; `step` (a "
        "StepReport), at most five a second; before it `trace` (a TraceReport), if asked for; `text` (a "
        "TextParaphrases) when the text is done. At the end `done` (the plain answer, or a ParaphrasesPlan), or "
        "`error` (a Problem) should the run fail midway. Lines that begin with a colon are comments."
    )
    argument = "texts"
    listed = "paraphrases"
    columns: ClassVar[Mapping[str, type]] = {
        "text": str,
        "similarity": float,
        "overlap": float,
        "log_prob_per_token": float,
        "others": str,
        "seed": int,
    }
    options: ClassVar[Mapping[str, str | None]] = SamplingTask.options

    def check(self, request: ParaphrasesRequest, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        check(request, engine.limits)
        measured_by(request, engine)
        for number in range(len(request.texts)):
            OneText(number).check(_tries(number, request)[0], engine)

    def expected_seconds(self, request: ParaphrasesRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return sum(OneText(n).expected_seconds(_tries(n, request)[0]) for n in range(len(request.texts)))

    async def run(self, request: ParaphrasesRequest, engine: Engine) -> ParaphrasesAnswer | ParaphrasesPlan:
        """See :meth:`Task.run`."""
        async with self.stream(request, engine) as events:
            async for event in events:
                if isinstance(event.data, ParaphrasesAnswer | ParaphrasesPlan):
                    return event.data
        raise AssertionError("the last event has the answer")

    @asynccontextmanager
    async def stream(self, request: ParaphrasesRequest, engine: Engine) -> AsyncIterator[AsyncGenerator[Event]]:
        """See :meth:`Task.stream`."""
        await asyncio.to_thread(check, request, engine.limits)
        encoder = measured_by(request, engine)
        await asyncio.to_thread(self.check, request, engine)
        if request.dry_run:
            plans = [await OneText(n).planned(_tries(n, request)[0], engine) for n in range(len(request.texts))]
            yield _only(Event("done", ParaphrasesPlan(plans=plans)))
            return
        # Below 2**53, so that a JavaScript client reads it back exactly.
        seed = secrets.randbits(53) if request.seed is None else request.seed
        async with engine.admission.take(), aclosing(_side_by_side(request, seed, engine)) as texts:

            async def events() -> AsyncGenerator[Event]:
                done: dict[int, TextParaphrases] = {}
                async for number, event in texts:
                    if isinstance(event.data, TextParaphrases):
                        done[number] = event.data
                    yield Event(EVENTS.get(event.name, event.name), OfText(number=number, data=event.data))  # type: ignore[arg-type]
                ordered = [done[number] for number in range(len(request.texts))]
                answer = ParaphrasesAnswer(
                    paraphrases=ordered,
                    measure="language model" if encoder is None else encoder.name,
                    usage=_sum([one.usage for one in ordered]),
                    model=Scorer(**ordered[0].model.model_dump(include=set(Scorer.model_fields))),
                    seed=seed,
                )
                yield Event("done", answer)

            yield events()

    @classmethod
    def body_of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """As of the other tasks that sample."""
        return SamplingTask.body_of(body)

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The first text's best paraphrase, and its others."""
        found = next(iter(answer.get(cls.listed) or [{}]))
        best, *others = found.get("texts") or [{}]
        return picked({**answer, **best}, cls.columns) | {"others": in_lines(each["text"] for each in others)}

    @classmethod
    def render(cls, answer: ParaphrasesAnswer | ParaphrasesPlan) -> RenderableType:
        """Each text with its paraphrases."""
        if isinstance(answer, ParaphrasesPlan):
            return super().render(answer)
        return Group(*(each for one in answer.paraphrases for each in (Text(one.source), answer_table(one.texts, one))))

    @classmethod
    def render_event(cls, event: Event) -> RenderableType | None:
        """The text done last."""
        data = event.data.data if isinstance(event.data, OfText) else None
        return answer_table(data.texts, data) if isinstance(data, TextParaphrases) else None


async def _side_by_side(request: ParaphrasesRequest, seed: int, engine: Engine) -> AsyncGenerator[tuple[int, Event]]:
    """The events of the texts' runs as they come, each with the number of its text.

    Raises:
        ProblemError: 422, for the first text that cannot be met; the others are stopped.
    """
    found: asyncio.Queue[tuple[int, Event] | BaseException | None] = asyncio.Queue(maxsize=64)
    slots = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        own = request.model_copy(update={"seed": seed + number})
        try:
            async with slots, aclosing(_until_found(number, own, engine)) as events:
                async for event in events:
                    await found.put((number, event))
            await found.put(None)
        except Exception as error:
            await found.put(error)

    running = [asyncio.create_task(one(number)) for number in range(len(request.texts))]
    try:
        left = len(running)
        while left:
            item = await found.get()
            if isinstance(item, BaseException):
                raise item
            if item is None:
                left -= 1
            else:
                yield item
    finally:
        for each in running:
            each.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _tries(number: int, request: ParaphrasesRequest) -> list[ParaphrasesRequest]:
    """A request with the samplers by which a text is tried, one after the other until something is found."""
    if "sampler" in request.model_fields_set:
        return [request]
    drawn = choose_language(request.language, [request.texts[number]]).code in DRAWN
    samplers = [drawing(), searching()] if drawn else [searching()]
    return [request.model_copy(update={"sampler": sampler}) for sampler in samplers]


async def _until_found(number: int, request: ParaphrasesRequest, engine: Engine) -> AsyncGenerator[Event]:
    """The events of a text's run; where draws find nothing that were not asked for, those of a search follow."""
    tries = _tries(number, request)
    spent: list[UsageReport] = []
    for place, each in enumerate(tries, 1):
        async with OneText(number).stream(each, engine) as events, aclosing(events):
            async for event in events:
                found = event.data
                if not isinstance(found, TextParaphrases):
                    yield event
                elif found.texts or place == len(tries):
                    yield event._replace(data=found.model_copy(update={"usage": _sum([*spent, found.usage])}))
                    return
                else:
                    spent.append(found.usage)


async def _only(event: Event) -> AsyncGenerator[Event]:
    yield event


def _sum(reports: Sequence[UsageReport]) -> UsageReport:
    return UsageReport(**{name: sum(getattr(report, name) for report in reports) for name in UsageReport.model_fields})
