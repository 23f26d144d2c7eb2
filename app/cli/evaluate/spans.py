"""Span edits: what is changed from where to where, as scorers of grammatical error correction count it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

BETA = 0.5
"""Precision counts twice as much as recall."""


class Span(NamedTuple):
    """A piece of a text, and what stands there instead."""

    start: int
    end: int
    new: str


class Counts(NamedTuple):
    """Edits that are right, wrong and missed."""

    right: int
    wrong: int
    missed: int

    @property
    def precision(self) -> float:
        """Share of the edits made that are right; 1 of none, as in M2."""
        return self.right / made if (made := self.right + self.wrong) else 1.0

    @property
    def recall(self) -> float:
        """Share of the edits wanted that were made; 1 of none."""
        return self.right / wanted if (wanted := self.right + self.missed) else 1.0

    @property
    def f(self) -> float:
        """F with :data:`BETA`."""
        p, r = self.precision, self.recall
        return (1 + BETA**2) * p * r / (BETA**2 * p + r) if p and r else 0.0


def spans(old: str, new: str) -> frozenset[Span]:
    """The edits of a least alignment of characters, neighbours joined."""
    found: list[Span] = []
    for code in Levenshtein.opcodes(old, new):
        if code.tag == "equal":
            continue
        start, written = code.src_start, new[code.dest_start : code.dest_end]
        if found and found[-1].end == start:
            start, before = found[-1].start, found.pop().new
            written = before + written
        found.append(Span(start, code.src_end, written))
    return frozenset(found)


def best_counts(source: str, written: str, targets: Sequence[str]) -> Counts:
    """Those of a text by the target that suits it best (Dahlmeier and Ng 2012; ChERRANT has them of characters)."""
    made = spans(source, written)
    counts = [
        Counts(len(made & wanted), len(made - wanted), len(wanted - made))
        for wanted in (spans(source, target) for target in targets)
    ]
    return max(counts, key=lambda each: (each.f, each.right, -each.wrong, -each.missed))


def total(counts: Iterable[Counts]) -> Counts:
    """Those of several texts together."""
    columns = [sum(column) for column in zip(*counts, strict=True)]
    return Counts(*columns) if columns else Counts(0, 0, 0)
