"""The completions task: its registration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from app.engine.engine import Engine
from app.tasks.completions.checks import read_prompts
from app.tasks.completions.completions import complete
from app.tasks.completions.schemas import CompletionsAnswer, CompletionsRequest
from app.tasks.task import Cell, Task, picked


@dataclass(frozen=True)
class Completions(Task[CompletionsRequest, CompletionsAnswer]):
    """OpenAI's completions, for scoring alone."""

    kind = "completions"
    path = "/v1/completions"
    request = CompletionsRequest
    answer = CompletionsAnswer
    tag = "score"
    summary = "Log-probs in OpenAI's shape"
    description = """
        How likely each token of the prompts is, in the shape of OpenAI's completions.

        Probabilities are the model's own: over its whole vocabulary, given the prompt alone. Nothing is written but,
        if asked for, the likeliest token after each prompt.
        """
    argument = "prompt"
    listed = "choices"
    columns: ClassVar[Mapping[str, type]] = {"text": str, "log_prob": float}
    # What asks for more than scores is refused, and the command has a model of its own.
    options = dict.fromkeys(
        (
            *("model", "temperature", "top_p", "seed", "user", "n", "best_of", "stream", "stream_options", "suffix"),
            *("logit_bias", "stop", "presence_penalty", "frequency_penalty"),
        )
    )

    @classmethod
    def streams(cls) -> bool:
        """See :meth:`Task.streams`; the field is there to be refused."""
        return False

    def check(self, request: CompletionsRequest, engine: Engine) -> None:
        """See :meth:`Task.check`."""
        read_prompts(request, engine)

    def expected_seconds(self, request: CompletionsRequest) -> float:
        """See :meth:`Task.expected_seconds`."""
        return 0.01 * sum(len(prompt) for _, prompt in request.prompts)

    async def run(self, request: CompletionsRequest, engine: Engine) -> CompletionsAnswer:
        """See :meth:`Task.run`."""
        return await complete(request, engine)

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The first prompt's text, and the log-prob of its tokens together."""
        choice = next(iter(answer.get(cls.listed) or [{}]))
        logs = (choice.get("logprobs") or {}).get("token_logprobs")
        return picked(choice, ["text"]) | ({"log_prob": sum(each or 0.0 for each in logs)} if logs else {})

    @classmethod
    def body_of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """The command scores texts unless it says otherwise."""
        return {"max_tokens": 0, "echo": True, "logprobs": 0, "temperature": 0} | body
