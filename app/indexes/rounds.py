"""Work on an index that goes to the model's thread round by round, so that other work goes between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

HYPOTHESES = 48
"""Hypotheses in one forward at most, or those of one question: beside a search, others wait no longer than that."""


@dataclass(frozen=True, slots=True, eq=False)
class Round(Generic[T]):
    """One round, for the model's thread; a :class:`models.language.scoring.batcher.Work`."""

    rounds: Iterator[T]
    cost: int = 0
    rank: int = 1

    @property
    def kind(self) -> object:
        """Runs by itself."""
        return self

    def run(self, together: Sequence[Round[T]]) -> list[T | None]:
        """What the round gives; None once all are over."""
        return [next(one.rounds, None) for one in together]
