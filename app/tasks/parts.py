"""Runs that answer one part of a request after another."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from typing import Any, ClassVar, Protocol, TypeVar

from pydantic import BaseModel
from rich.console import Group, RenderableType

from app.engine.engine import Engine
from app.tasks.task import A, Event, R, Task

A_co = TypeVar("A_co", bound=BaseModel, covariant=True)


class Parts(Protocol[A_co]):
    """A run whose parts are answered in whatever order."""

    def answers(self) -> AsyncGenerator[BaseModel]:
        """Each part's answer, as soon as there is one."""
        ...

    def answer(self) -> A_co:
        """All of them, once :meth:`answers` has ended."""
        ...


async def completed(running: AbstractAsyncContextManager[Parts[A]]) -> A:
    """The answer of a run, once it has come to its end."""
    async with running as run:
        async for _ in run.answers():
            pass
        return run.answer()


async def events_of(run: Parts[Any], name: str = "answer") -> AsyncGenerator[Event]:
    """An event of this name for each part, and ``done`` at last."""
    async with aclosing(run.answers()) as answers:
        async for answer in answers:
            yield Event(name, answer)
    yield Event("done", run.answer())


class TaskInParts(Task[R, A]):
    """A task that answers one part of a request after another.

    Attributes:
        event: name of a part's event.
    """

    event: ClassVar[str] = "answer"

    @abstractmethod
    def running(self, request: R, engine: Engine) -> AbstractAsyncContextManager[Parts[A]]:
        """The run of a request, in its turn, which ends with the context; entering it may raise as :meth:`run`."""

    async def run(self, request: R, engine: Engine) -> A:
        """See :meth:`Task.run`."""
        return await completed(self.running(request, engine))

    @asynccontextmanager
    async def stream(self, request: R, engine: Engine) -> AsyncIterator[AsyncGenerator[Event]]:
        """See :meth:`Task.stream`."""
        async with self.running(request, engine) as run:
            yield events_of(run, self.event)

    @staticmethod
    @abstractmethod
    def render_part(part: Any, /) -> RenderableType:
        """A part on a terminal."""

    @classmethod
    def render(cls, answer: A) -> RenderableType:
        """Each part."""
        return Group(*map(cls.render_part, getattr(answer, cls.listed)))

    @classmethod
    def render_event(cls, event: Event) -> RenderableType | None:
        """The part answered last."""
        return None if event.name == "done" else cls.render_part(event.data)
