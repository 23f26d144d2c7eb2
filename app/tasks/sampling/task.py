"""A task that samples: its request becomes a problem, and all else is shared."""

from __future__ import annotations

import asyncio
import time
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Generic, TypeVar

from rich.console import RenderableType

from app.engine.engine import Engine
from app.settings.settings import Limits
from app.tasks.sampling.kernels import SamplerOptions
from app.tasks.sampling.plan import SamplingPlan, plan_of
from app.tasks.sampling.prepare import kernel_of, prepared
from app.tasks.sampling.problem import SamplingProblem
from app.tasks.sampling.run import SamplingRun
from app.tasks.sampling.schemas import SamplingAnswer, SamplingRequest, StepReport
from app.tasks.sampling.view import answer_table, chains_table
from app.tasks.task import Cell, Event, Task, in_lines, picked
from models.language.scoring.model import LoadedModel

R = TypeVar("R", bound=SamplingRequest)
A = TypeVar("A", bound=SamplingAnswer)

STEP_SECONDS = 0.2
"""Least time between two ``step`` events."""


class SamplingTask(Task[R, A | SamplingPlan], Generic[R, A]):
    """A task whose answer is sampled; its ``listed`` field holds sentences."""

    plan = SamplingPlan
    columns: ClassVar[Mapping[str, type]] = {
        "text": str,
        "log_prob": float,
        "log_prob_per_token": float,
        "naturalness": float,
        "others": str,
        "seed": int,
    }
    events = (
        "`stream: true` answers with server-sent events, each with JSON in `data`: `sentence` (a Sentence) whenever a "
        "sentence better than all before is found, of greater log-density where naturalness orders the answer; `step` "
        "(a StepReport), at most five a second; before it `trace` (a TraceReport), if asked for, with what came since "
        "the last; at the end `done` (the plain answer, or a SamplingPlan), or `error` (a Problem) should the run fail "
        "midway. Lines that begin with a colon are comments."
    )
    options: ClassVar[Mapping[str, str | None]] = {
        "context.kind": "--context-kind",
        "context.text": "--context",
        "sampler.kind": "--kind",
        "sampler.schedule.kind": "--schedule",
        "sampler.schedule.start": "--beta-start",
        "sampler.schedule.stop": "--beta-stop",
    }

    @staticmethod
    @abstractmethod
    def problem(request: R, model: LoadedModel, limits: Limits) -> SamplingProblem:
        """Check a request and make a problem of it; may build a vocabulary, so keep it off the event loop.

        Raises:
            ProblemError: 422, with what is wrong and how to mend it.
        """

    def check(self, request: R, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        problem = self.problem(request, engine.model, engine.limits)
        if isinstance(request.sampler, SamplerOptions):
            kernel_of(problem, request.sampler)

    def expected_seconds(self, request: R) -> float:
        """See :meth:`Task.expected_seconds`."""
        return 4e-3 * request.sampler.expected_scores

    @asynccontextmanager
    async def prepared(self, request: R, engine: Engine) -> AsyncIterator[SamplingRun]:
        """A run that stands at its first states; admission ends with the context.

        Raises:
            ProblemError: 422 for a request that cannot be met, 429 if too many wait.
        """
        problem = await asyncio.to_thread(self.problem, request, engine.model, engine.limits)
        async with prepared(problem, request, engine) as sampling:
            yield sampling

    async def run(self, request: R, engine: Engine) -> A | SamplingPlan:
        """See :meth:`Task.run`."""
        return await (self.planned(request, engine) if request.dry_run else self.sampled(request, engine))

    async def planned(self, request: R, engine: Engine) -> SamplingPlan:
        """What the request would do.

        Raises:
            ProblemError: 422 for a request that cannot be met.
        """
        problem = await asyncio.to_thread(self.problem, request, engine.model, engine.limits)
        return plan_of(problem, request.sampler, request.seed, engine, self.expected_seconds(request))

    async def sampled(self, request: R, engine: Engine) -> A:
        """The sentences.

        Raises:
            ProblemError: as :meth:`prepared`.
        """
        async with self.prepared(request, engine) as sampling:
            async for _ in sampling.progress():
                pass
            return await self.answered(sampling)

    async def answered(self, sampling: SamplingRun) -> A:
        """The sentences and how the run went, as far as it has gone."""
        sentences = await sampling.chosen()
        answer: A = self.answer(**{self.listed: sentences}, **dict(await sampling.account()))  # type: ignore[assignment]
        return answer

    @asynccontextmanager
    async def stream(self, request: R, engine: Engine) -> AsyncIterator[AsyncGenerator[Event]]:
        """See :meth:`Task.stream`."""
        if request.dry_run:
            yield _done(await self.planned(request, engine))
            return
        async with self.prepared(request, engine) as sampling:
            yield self._events(sampling)

    async def _events(self, sampling: SamplingRun) -> AsyncGenerator[Event]:
        """The events of a run: ``step`` at most every :data:`STEP_SECONDS`, the first and the last step always.

        A part of the ``trace``, if it is asked for, goes before each ``step``, and before ``done`` if any is left.
        """
        due, reader = 0.0, sampling.reader()
        async for progress in sampling.progress():
            if progress.best is not None:
                yield Event("sentence", sampling.sentence(progress.best))
            if progress.step is None:
                continue
            now = time.monotonic()
            if now >= due or progress.step.number == sampling.last_step:
                due = now + STEP_SECONDS
                if reader is not None and (part := reader.part()) is not None:
                    yield Event("trace", part)
                yield Event("step", sampling.report(progress.step))
        if reader is not None and (part := reader.part()) is not None:
            yield Event("trace", part)
        yield Event("done", await self.answered(sampling))

    @classmethod
    def body_of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """``--beta`` alone for Metropolis-Hastings."""
        if "beta" in body.get("sampler", {}):
            body["sampler"].setdefault("kind", "metropolis")
        return body

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The best sentence, and the texts of the others."""
        best, *others = answer.get(cls.listed) or [{}]
        return (
            picked(best, cls.columns) | picked(answer, ["seed"]) | {"others": in_lines(each["text"] for each in others)}
        )

    @classmethod
    def render(cls, answer: A | SamplingPlan) -> RenderableType:
        """The sentences, and lines on how the run went."""
        if isinstance(answer, SamplingPlan):
            return super().render(answer)
        return answer_table(getattr(answer, cls.listed), answer)

    @classmethod
    def render_event(cls, event: Event) -> RenderableType | None:
        """The chains where they stand."""
        return chains_table(event.data) if isinstance(event.data, StepReport) else None


async def _done(plan: SamplingPlan) -> AsyncGenerator[Event]:
    """The events of a dry run."""
    yield Event("done", plan)
