"""Questions with the fact that answers each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from models.retrieval.fact import Fact

SEPARATOR = " ||| "


class ExampleError(ValueError):
    """A file of questions cannot be used; the message names the line and what to do."""


@dataclass(frozen=True, slots=True)
class Example:
    """A question and its fact."""

    question: str
    fact: Fact


def read_examples(path: Path) -> list[Example]:
    """Read JSON Lines of ``{"question": ..., "answer": "subject ||| predicate ||| object"}``, as KgCLUE's.

    Raises:
        ExampleError: the file cannot be read, has no questions, or a line is malformed.
    """
    examples: list[Example] = []
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    examples.append(_example(line, f"{path}, line {number}"))
    except (OSError, UnicodeDecodeError) as error:
        raise ExampleError(f"{path} cannot be read as UTF-8 text: {error}") from error
    if not examples:
        raise ExampleError(f"{path} holds no questions")
    return examples


def _example(line: str, where: str) -> Example:
    wanted = '{"question": "...", "answer": "subject ||| predicate ||| object"}'
    try:
        row = json.loads(line)
        question, answer = row["question"], row["answer"]
        subject, predicate, value = answer.split(SEPARATOR, 2)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExampleError(f"{where}: a line must be {wanted} ({type(error).__name__}: {error})") from error
    if not isinstance(question, str) or not question.strip() or not subject.strip() or not predicate.strip():
        raise ExampleError(f"{where}: question, subject and predicate must be texts that are not empty")
    return Example(question, Fact.of(subject.strip(), predicate.strip(), value.strip()))
