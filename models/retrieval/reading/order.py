"""Order of the spans that a beam found, and the confidence in the best, fitted on questions with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.ranking.logit import Ranking
from models.retrieval.reading.features import FEATURES as SEEN
from models.retrieval.reading.features import Sight
from models.retrieval.reading.span_index import SpanIndex
from models.retrieval.reading.spans import Span
from models.retrieval.search.confidence import Confidence

FITTED = Path(__file__).with_name("fitted")
"""A folder for each model that something is fitted for, by its name."""
FIRST, SECOND, CONFIDENCE = "first.json", "second.json", "confidence.json"

NOMINATED, SENTENCES, MAX_NOMINEES = 10, 4, 6000
"""Candidates that the first order names; of how many sentences, those that cover most of the question; of how many
spans at most."""

FEATURES = ("first", "asked", "blank")
"""Names of the columns of the second order.

first: log-probability in the first order, of what it did not name the least.
asked: renormalised log-probability of the span after the question, in nats.
blank: after a question that asks for nothing in particular.
"""

SURENESS = ("rank", "margin", "first", "asked", "contrast", "sentence", "told")
"""Names of the columns of :func:`sureness`.

rank: log-probability of the best span among the candidates.
margin: of that to the second, at most :data:`MAX_MARGIN`, which also stands for no second.
first, asked: of the best, as in :data:`FEATURES`; contrast: asked less blank.
sentence: cover of the question by the sentence around it and the three before.
told: cover by the whole passage.
"""
MAX_MARGIN = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class ReadingOrder:
    """Conditional logits over spans and over candidates, and the confidence in what the second puts first."""

    first: Ranking  # over :data:`models.retrieval.reading.features.FEATURES`
    second: Ranking  # over :data:`FEATURES`
    confidence: Confidence  # over :data:`SURENESS`

    @classmethod
    def of(cls, model: str) -> ReadingOrder | None:
        """What was fitted for a model, if something was.

        Raises:
            RankingError, ConfidenceError: it cannot be used.
        """
        folder = FITTED / model
        if not folder.is_dir():
            return None
        return cls(
            Ranking.load(folder / FIRST, SEEN),
            Ranking.load(folder / SECOND, FEATURES),
            Confidence.load(folder / CONFIDENCE, SURENESS),
        )


def nominated(sight: Sight, index: SpanIndex, first: Ranking) -> dict[int, float]:
    """Keys of an index by number, the first in an order that asks no model, each with its log-probability there."""
    near = sight.best_sentences(SENTENCES)
    spans = [
        (number, span)
        for number, its in enumerate(index.occurrences)
        for span in its
        if any(start <= span.start < end for start, end in near)
    ][:MAX_NOMINEES]
    if not spans:
        return {}
    ranks = first.log_probs(sight.columns([span for _, span in spans]))
    best: dict[int, float] = {}
    for at in np.argsort(-ranks, kind="stable").tolist():
        best.setdefault(spans[at][0], float(ranks[at]))
        if len(best) == NOMINATED:
            break
    return best


def sureness(
    sight: Sight, places: Sequence[Span], columns: NDArray[np.float64], ranks: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Features of the confidence in the best of K candidates, (1, len(:data:`SURENESS`)).

    Args:
        sight: of passage and question.
        places: where each stands, (K,).
        columns: of each by :data:`FEATURES`, (K, 3).
        ranks: log-probability of each among them, (K,).
    """
    best, *rest = np.argsort(-ranks, kind="stable")
    margin = min(ranks[best] - ranks[rest[0]], MAX_MARGIN) if rest else MAX_MARGIN
    first, asked, blank = columns[best]
    return np.array([[ranks[best], margin, first, asked, asked - blank, sight.near(places[best]), sight.told]])
