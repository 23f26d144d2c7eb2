"""Questions with the fact that answers each."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from models.retrieval.fact import Fact
from models.retrieval.index.values import normal_value
from models.text.files import TextFileError, read_lines
from models.text.normalisation import normalise_name

SEPARATOR = " ||| "


class ExampleError(ValueError):
    """A file of questions cannot be used; the message names the line, ``remedy`` the way out."""

    def __init__(self, message: str, remedy: str = "mend the file") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Example:
    """A question and its fact."""

    question: str
    fact: Fact


def read_examples(path: Path, encoding: str | None = None) -> list[Example]:
    """Read JSON Lines of ``{"question": ..., "answer": "subject ||| predicate ||| object"}``, as KgCLUE's.

    Texts are normalised as those of an index are. For the encoding see :func:`models.text.files.read_blocks`.

    Raises:
        ExampleError: the file cannot be read, has no questions, or a line is malformed.
    """
    examples: list[Example] = []
    try:
        for line in read_lines(path, encoding):
            if line.fault is not None:
                raise ExampleError(f"{path}, line {line.number}: {line.fault}")
            if normalise_name(line.text):
                examples.append(_example(line.text, f"{path}, line {line.number}"))
    except TextFileError as error:
        raise ExampleError(error.message, error.remedy) from error
    if not examples:
        raise ExampleError(f"{path} holds no questions")
    return examples


def _example(line: str, where: str) -> Example:
    wanted = '{"question": "...", "answer": "subject ||| predicate ||| object"}'
    try:
        row = json.loads(line)
        question, answer = row["question"], row["answer"]
        subject, predicate, value = answer.split(SEPARATOR, 2)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ExampleError(f"{where}: a line must be {wanted} ({type(error).__name__}: {error})") from error
    texts = [normalise_name(text) if isinstance(text, str) else "" for text in (question, subject, predicate)]
    if not all(texts):
        raise ExampleError(f"{where}: question, subject and predicate must be texts that are not empty")
    return Example(texts[0], Fact.of(texts[1], texts[2], normal_value(value)))
