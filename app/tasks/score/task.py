"""The score task: its registration."""

from __future__ import annotations

from dataclasses import dataclass

from app.engine.engine import Engine
from app.tasks.score.schemas import ScoreAnswer, ScoreRequest
from app.tasks.score.score import score, spell
from app.tasks.task import Task


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
        the sentences of /v1/sentences in that vocabulary.
        """
    argument = "texts"

    def check(self, request: ScoreRequest, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        spell(request, engine.model, engine.limits)

    def expected_seconds(self, request: ScoreRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return 0.02 * len(request.texts)

    async def run(self, request: ScoreRequest, engine: Engine) -> ScoreAnswer:
        """See :meth:`Task.run`."""
        return await score(request, engine)

    @classmethod
    def render(cls, answer: ScoreAnswer) -> str:
        """A line for each text."""
        return "\n".join(f"{one.log_prob:.3f}\t{one.log_prob_per_token:.3f}\t{one.text}" for one in answer.scores)

    @classmethod
    def note(cls, answer: ScoreAnswer) -> str:
        """See :meth:`Task.note`."""
        vocabularies = " ".join(dict.fromkeys(one.vocabulary for one in answer.scores))
        return f"log p, log p / token, text; vocabulary {vocabularies}"
