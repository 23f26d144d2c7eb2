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
    asking: Sequence[str]  # words that ask or only hold a sentence together, the longer first
    examples: Sequence[Example]
    none: str = ""  # what an adapter answers where the passage does not tell; empty where none was trained

    def opening(self) -> str:
        """The worked examples."""
        return "".join(map(self._worked, self.examples))

    def _worked(self, example: Example) -> str:
        pairs = [f"{self.question}{self.gap}{q}\n{self.answer}{self.gap}{a}\n" for q, a in example.answers]
        return f"{self.beginning(example.passage)}{''.join(pairs)}\n"

    def beginning(self, passage: str) -> str:
        """A passage, in one line, before its questions."""
        return f"{self.passage}{self.gap}{' '.join(passage.split())}\n"
