"""GLEU: n-grams that corrected texts share with their references, less those that they should have changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

ORDER = 4
"""Words of the longest n-grams."""
DRAWS = 500
"""Choices of a reference for each text that the score is the mean over."""


def gleu(sources: Sequence[str], written: Sequence[str], references: Sequence[Sequence[str]]) -> float:
    """GLEU without tuning (Napoles et al. 2015, 2016), of texts whose words stand apart, 0 to 1.

    With c and r the words of the texts and of a reference for each, and p_n the share of the texts' n-grams that the
    references have, once more less for each that is of the source and not of the reference:

        min(1, exp(1 - r / c)) (p_1 p_2 p_3 p_4)^(1/4),

    the mean over :data:`DRAWS` choices of references.
    """
    table = [
        np.array([_statistics(source.split(), text.split(), reference.split()) for reference in own])
        for source, text, own in zip(sources, written, references, strict=True)
    ]
    rng = np.random.default_rng(0)
    return float(np.mean([_score(sum(rows[rng.integers(len(rows))] for rows in table)) for _ in range(DRAWS)]))


def _statistics(source: list[str], text: list[str], reference: list[str]) -> list[int]:
    """Words of the text and the reference, then for each n the n-grams that count and those of the text."""
    found = [len(text), len(reference)]
    for n in range(1, ORDER + 1):
        own, wanted, given = _ngrams(text, n), _ngrams(reference, n), _ngrams(source, n)
        spoilt = Counter({ngram: count for ngram, count in given.items() if ngram not in wanted})
        found += [max((own & wanted).total() - (own & spoilt).total(), 0), own.total()]
    return found


def _ngrams(words: list[str], n: int) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(words[k:] for k in range(n)), strict=False))


def _score(statistics: npt.NDArray[np.int64]) -> float:
    if not statistics.all():
        return 0.0
    words, wanted = statistics[:2].tolist()
    precision = np.log(statistics[2::2] / statistics[3::2]).mean()
    return float(np.exp(min(0.0, 1 - wanted / words) + precision))
