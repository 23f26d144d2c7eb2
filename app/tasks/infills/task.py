"""The infills task: its registration."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

from app.tasks.infills.problem import make_problem
from app.tasks.infills.schemas import InfillsAnswer, InfillsRequest
from app.tasks.sampling.task import SamplingTask
from app.tasks.task import Cell, in_lines


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
    columns: ClassVar[Mapping[str, type]] = {**SamplingTask.columns, "fills": str}
    options: ClassVar[Mapping[str, str | None]] = {**SamplingTask.options, "forbidden": "--forbid", "blanks": "--blank"}

    @classmethod
    def body_of(cls, body: dict[str, Any]) -> dict[str, Any]:
        """Of a blank its keywords, or all of it as a JSON object."""
        blanks = [_blank(text) for text in body.get("blanks", [])]
        return super().body_of(body | ({"blanks": blanks} if blanks else {}))

    @classmethod
    def row(cls, answer: dict[str, Any]) -> dict[str, Cell]:
        """The best text, what was written in its blanks, and the texts of the others."""
        best = next(iter(answer.get(cls.listed) or [{}]))
        return super().row(answer) | {"fills": in_lines(best.get("fills", ()))}


def _blank(text: str) -> Any:
    """A blank as the command line has it, in the form of a body; what is no JSON is left for the schema to refuse."""
    if not text.lstrip().startswith("{"):
        return {"keywords": text.split()}
    with suppress(ValueError):
        return json.loads(text)
    return text
