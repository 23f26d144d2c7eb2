"""The infills task: its registration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from app.tasks.infills.problem import make_problem
from app.tasks.infills.schemas import InfillsAnswer, InfillsRequest
from app.tasks.sampling.task import SamplingTask


@dataclass(frozen=True)
class Infills(SamplingTask[InfillsRequest, InfillsAnswer]):
    """Blanks in a text, filled."""

    kind = "infills"
    path = "/v1/infills"
    request = InfillsRequest
    answer = InfillsAnswer
    listed = "infills"
    tag = "infills"
    summary = "Blanks in a text, filled"
    description = """
        Fill the blanks of a sentence with words that fit on both sides.

        Markov chains edit what stands in the blanks; the language model scores the whole sentence, so that
        what follows a blank counts as much as what goes before. The text around the blanks does not change.
        """
    found = "The filled texts, most fluent first."
    argument = "text"
    problem = staticmethod(make_problem)
    options: ClassVar[Mapping[str, str | None]] = {**SamplingTask.options, "forbidden": "--forbid", "blanks": "--blank"}
