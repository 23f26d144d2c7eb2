"""The keywords task: its registration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from app.tasks.keywords.problem import make_problem
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.sampling.schemas import SentencesAnswer
from app.tasks.sampling.task import SamplingTask


@dataclass(frozen=True)
class Sentences(SamplingTask[SentencesRequest, SentencesAnswer]):
    """Sentences that hold given keywords."""

    kind = "sentences"
    path = "/v1/sentences"
    request = SentencesRequest
    answer = SentencesAnswer
    listed = "sentences"
    tag = "sentences"
    summary = "Keywords to sentences"
    description = """
        Write fluent sentences that hold all the keywords.

        Markov chains edit sentences by inserting, deleting and replacing tokens; a language model
        scores each edit; the keywords, the length and the forbidden words hold at every step. No
        training, no prompt. When the client leaves, the chains stop.
        """
    found = "The sentences, most fluent first."
    argument = "keywords"
    problem = staticmethod(make_problem)
    options: ClassVar[Mapping[str, str | None]] = {
        **SamplingTask.options,
        "forbidden": "--forbid",
        "length.min": "--min",
        "length.max": "--max",
        "counts": "--count",
    }

    @classmethod
    def body_of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """``a|b|c`` for forms of a keyword, ``phrase>=2`` and ``phrase<=3`` for counts."""
        keywords = [word.split("|") if "|" in word else word for word in body.get("keywords", [])]
        counts = [_counted(text) for text in body.get("counts", [])]
        written = {"keywords": keywords, "counts": counts}
        return super().body_of(body | {name: value for name, value in written.items() if value})


def _counted(text: str) -> dict[str, Any]:
    """A count as the command line has it, in the form of a body."""
    if (match := re.fullmatch(r"(.+?)\s*([<>]=)\s*(\d+)", text)) is None:
        return {"phrase": text}
    return {"phrase": match[1], "at_least" if match[2] == ">=" else "at_most": int(match[3])}
