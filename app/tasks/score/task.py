"""The score task: its registration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from rich.console import Group, RenderableType

from app.engine.engine import Engine
from app.tasks.score.schemas import ScoreAnswer, ScoreRequest
from app.tasks.score.score import score, spell
from app.tasks.score.table import summary_line, token_table
from app.tasks.task import Cell, Task, picked


@dataclass(frozen=True)
class Score(Task[ScoreRequest, ScoreAnswer]):
    """Log-probabilities of texts."""

    kind = "score"
    path = "/v1/score"
    request = ScoreRequest
    answer = ScoreAnswer
    tag = "score"
    operation = "scores"
    summary = "Log-probs of texts"
    description = """
        How likely each text is under the language model, token by token.

        Probabilities are renormalised over the vocabulary that the answer names: the same scale as
        the sentences of /v1/sentences in that vocabulary. With `top`, each token's rank, the entropy
        at its place and the likeliest tokens there come with it.
        """
    argument = "texts"
    listed = "scores"
    columns: ClassVar[Mapping[str, type]] = {
        "text": str,
        "log_prob": float,
        "log_prob_per_token": float,
        "vocabulary": str,
    }

    def check(self, request: ScoreRequest, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        spell(request, engine.model, engine.limits)

    def expected_seconds(self, request: ScoreRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return (0.05 if request.top else 0.02) * len(request.texts)

    async def run(self, request: ScoreRequest, engine: Engine) -> ScoreAnswer:
        """See :meth:`Task.run`."""
        return await score(request, engine)

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The first text's score."""
        return picked(next(iter(answer.get(cls.listed) or [{}])), cls.columns)

    @classmethod
    def render(cls, answer: ScoreAnswer) -> RenderableType:
        """A line for each text, and a table of its tokens if they are ranked."""
        if any(one.ranks for one in answer.scores):
            return Group(*map(token_table, answer.scores))
        return "\n".join(map(summary_line, answer.scores))

    @classmethod
    def note(cls, answer: ScoreAnswer) -> str:
        """See :meth:`Task.note`."""
        vocabularies = " ".join(dict.fromkeys(one.vocabulary for one in answer.scores))
        return f"log p, log p / token, text; vocabulary {vocabularies}"
