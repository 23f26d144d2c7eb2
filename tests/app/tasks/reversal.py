"""A toy task: texts backwards."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from pydantic import BaseModel, Field

from app.engine.engine import Engine
from app.tasks.task import Event, Task
from app.web.codes import Code
from app.web.problems import invalid
from app.web.schemas import Strict


class ReversalRequest(Strict):
    """Ask for texts backwards."""

    texts: list[str] = Field(min_length=1, description="to be reversed")
    by_words: bool = Field(default=False, description="reverse the order of words")
    stream: bool = Field(default=False, description="answer with server-sent events")


class ReversalAnswer(BaseModel):
    """Texts backwards."""

    texts: list[str]


@dataclass(frozen=True)
class Reversal(Task[ReversalRequest, ReversalAnswer]):
    """Texts backwards."""

    kind = "reversal"
    path = "/v1/reversal"
    request = ReversalRequest
    answer = ReversalAnswer
    tag = "toys"
    summary = "Texts backwards"
    description = "Reverse texts."
    argument = "texts"

    def check(self, request: ReversalRequest, engine: Engine) -> None:
        """Refuse palindromes."""
        for place, text in enumerate(request.texts):
            if text == text[::-1]:
                raise invalid(f"texts[{place}]", Code.NO_EFFECT, "it is a palindrome", "give another text")

    def expected_seconds(self, request: ReversalRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return 1e-6 * len(request.texts)

    async def run(self, request: ReversalRequest, engine: Engine) -> ReversalAnswer:
        """See :meth:`Task.run`."""
        self.check(request, engine)
        parts = ((text.split(), " ") if request.by_words else (list(text), "") for text in request.texts)
        return ReversalAnswer(texts=[joint.join(reversed(part)) for part, joint in parts])

    @asynccontextmanager
    async def stream(self, request: ReversalRequest, engine: Engine) -> AsyncIterator[AsyncGenerator[Event]]:
        """See :meth:`Task.stream`."""
        answer = await self.run(request, engine)

        async def events() -> AsyncGenerator[Event]:
            yield Event("done", answer)

        yield events()
