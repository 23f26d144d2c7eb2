"""BLEU of a sentence against another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log
from typing import Self

ORDER = 4
"""Units of the longest n-grams."""
FLOOR = 0.1
"""Matches that count where there are none, so that one order without a match does not make all the others void."""


@dataclass(frozen=True, slots=True)
class NGrams:
    """The n-grams of a sentence, counted.

    Attributes:
        units: how many units it has: words, or characters.
        counts: of the n-grams of each order from 1 on, up to 4 or the sentence's length.
    """

    units: int
    counts: tuple[Counter[tuple[str, ...]], ...]

    @classmethod
    def of(cls, units: Sequence[str]) -> Self:
        """Those of a sentence."""
        orders = range(1, min(ORDER, len(units)) + 1)
        return cls(
            len(units),
            tuple(Counter(tuple(units[at : at + n]) for at in range(len(units) - n + 1)) for n in orders),
        )

    def bleu(self, reference: NGrams) -> float:
        """BLEU against one reference, from 0 to 1.

        The geometric mean of the clipped n-gram precisions, n up to 4 or the sentence's length, times the brevity
        penalty; an order without a match counts as 0.1 matches, and without any unit in common it is 0.

        Source: Papineni et al., BLEU: a method for automatic evaluation of machine translation (ACL 2002); the floor is
        smoothing 1 of Chen and Cherry, A systematic comparison of smoothing techniques for sentence-level BLEU
        (WMT 2014).
        """
        logs = []
        for order, counts in enumerate(self.counts, 1):
            others = reference.counts[order - 1] if order <= len(reference.counts) else Counter()
            matches = sum(min(count, others[gram]) for gram, count in counts.items() if gram in others)
            if order == 1 and not matches:
                return 0.0
            logs.append(log(max(matches, FLOOR) / (self.units - order + 1)))
        return exp(sum(logs) / len(logs) + min(0.0, 1 - reference.units / self.units)) if logs else 0.0
