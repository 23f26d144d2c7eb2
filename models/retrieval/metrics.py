"""KgCLUE's metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


def normalised(text: str) -> str:
    """Lower case, white space collapsed."""
    return " ".join(text.lower().split())


def exact_match(a: str, b: str) -> float:
    """1 if the normalised texts are equal, else 0."""
    return float(normalised(a) == normalised(b))


def f1(a: str, b: str) -> float:
    """2 LCS(a, b) / (|a| + |b|) over the characters of the normalised texts; two empty ones have 1."""
    a, b = normalised(a), normalised(b)
    total = len(a) + len(b)
    return 2 * lcs(a, b) / total if total else 1.0


def lcs(a: Sequence[object], b: Sequence[object]) -> int:
    """Length of a longest common subsequence.

    Bit-parallel over Python's integers (Hyyrö, 2004): one addition for each element of ``b``.
    """
    where: dict[object, int] = {}
    for at, element in enumerate(a):
        where[element] = where.get(element, 0) | 1 << at
    every = (1 << len(a)) - 1
    free = every
    for element in b:
        matched = free & where.get(element, 0)
        free = ((free + matched) | (free - matched)) & every
    return len(a) - free.bit_count()


@dataclass(frozen=True, slots=True)
class Marks:
    """Means over questions, each from 0 to 1; a question without an answer counts as wrong."""

    exact: dict[str, float]  # EM by part: S, P, O, and SP for both of the first
    f1: dict[str, float]  # F1 by part: S, P, O
    questions: int  # how many

    @property
    def score(self) -> float:
        """(EM_O + F1_O) / 2, KgCLUE's ranking."""
        return (self.exact["O"] + self.f1["O"]) / 2


Triple = tuple[str, str, str]
"""Subject with its meaning in brackets, predicate, object."""


def marks(truths: Sequence[Triple], answers: Sequence[Triple | None]) -> Marks:
    """Compare answers with the truth.

    Raises:
        ValueError: no questions, or other than one answer for each.
    """
    if not truths or len(truths) != len(answers):
        raise ValueError(f"{len(answers)} answers to {len(truths)} questions: one for each of at least one is needed")
    exact = dict.fromkeys(("S", "P", "O", "SP"), 0.0)
    similar = dict.fromkeys(("S", "P", "O"), 0.0)
    for truth, answer in zip(truths, answers, strict=True):
        if answer is None:
            continue
        for part, a, b in zip("SPO", truth, answer, strict=True):
            exact[part] += exact_match(a, b)
            similar[part] += f1(a, b)
        exact["SP"] += exact_match(truth[0], answer[0]) * exact_match(truth[1], answer[1])
    count = len(truths)
    return Marks({k: v / count for k, v in exact.items()}, {k: v / count for k, v in similar.items()}, count)
