"""N-gram overlap with a given text: a penalty on saying it in the same words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import exp, log

import numpy as np
import numpy.typing as npt

from samplers.potentials.base import Potential
from samplers.spans import Span
from samplers.state import State

ORDER = 4
"""Units of the longest n-grams."""
FLOOR = 0.1
"""Matches that count where there are none, so that one order without a match does not make all the others void."""


def bleu(units: Sequence[str], reference: Sequence[str]) -> float:
    """BLEU of a sentence against one reference, from 0 to 1.

    The geometric mean of the clipped n-gram precisions, n up to 4 or the sentence's length, times the brevity penalty;
    an order without a match counts as 0.1 matches, and without any unit in common it is 0.

    Source: Papineni et al., BLEU: a method for automatic evaluation of machine translation (ACL 2002); the floor is
    smoothing 1 of Chen and Cherry, A systematic comparison of smoothing techniques for sentence-level BLEU (WMT 2014).
    """
    logs = []
    for order in range(1, min(ORDER, len(units)) + 1):
        matches = (_ngrams(units, order) & _ngrams(reference, order)).total()
        if order == 1 and not matches:
            return 0.0
        logs.append(log(max(matches, FLOOR) / (len(units) - order + 1)))
    return exp(sum(logs) / len(logs) + min(0.0, 1 - len(reference) / len(units))) if logs else 0.0


def _ngrams(units: Sequence[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(units[at : at + order]) for at in range(len(units) - order + 1))


@dataclass(frozen=True, slots=True)
class Overlap(Potential):
    """phi(y) = -max(0, BLEU(y, x) - a), x a given text and a what is allowed.

    A penalty on n-gram overlap is what makes a search for a likely sentence of the same meaning one for a paraphrase
    (Liu et al., Unsupervised paraphrasing by simulated annealing, ACL 2020, equation 8). Here it ends at a, so that
    nothing is gained by going farther from the text than asked for.

    Attributes:
        source: x.
        units: where the units of a text stand, in order: its words, say. Letter case is ignored.
        allowed: a, from 0 to 1.
    """

    source: str
    units: Callable[[str], Sequence[Span]]
    allowed: float = 0.0
    _source: list[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_source", self._read(self.source))

    def of(self, text: str) -> float:
        """BLEU of a text against the source."""
        return bleu(self._read(text), self._source)

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """See :meth:`Potential.log_weights`."""
        return np.array([-max(0.0, self.of(text) - self.allowed) for text in texts])

    def _read(self, text: str) -> list[str]:
        return [text[start:stop].lower() for start, stop in self.units(text)]
