"""Form in which passages and questions are put to a language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Example(NamedTuple):
    """A passage with questions and their answers, spans of it."""

    passage: str
    answers: Sequence[tuple[str, str]]  # question, answer


class Form(NamedTuple):
    """Labels and worked examples of one language; each label begins a line, and the answer ends with one."""

    passage: str  # label
    question: str
    answer: str
    gap: str  # between a label and what follows: a space where words are written apart
    asking: Sequence[str]  # words that ask or only hold a question together, the longer first
    examples: Sequence[Example]

    def opening(self) -> str:
        """The worked examples."""
        return "".join(
            self.beginning(example.passage)
            + "".join(f"{self.question}{self.gap}{q}\n{self.answer}{self.gap}{a}\n" for q, a in example.answers)
            + "\n"
            for example in self.examples
        )

    def beginning(self, passage: str) -> str:
        """A passage, in one line, before its questions."""
        return f"{self.passage}{self.gap}{' '.join(passage.split())}\n"
