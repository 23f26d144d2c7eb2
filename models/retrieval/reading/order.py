"""Order of the spans that a beam found, and the confidence in the best, fitted on questions with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.ranking.logit import MIN_LOG_PROB, Ranking
from models.retrieval.reading.features import FEATURES as SEEN
from models.retrieval.reading.features import Sight
from models.retrieval.reading.span_index import SpanIndex
from models.retrieval.reading.spans import Span
from models.retrieval.search.confidence import Confidence

FIRST, SECOND, CONFIDENCE = "first.json", "second.json", "confidence.json"
"""In the folder of the adapter that they are fitted for."""

NOMINATED, SENTENCES, MAX_NOMINEES = 16, 4, 6000
"""Candidates that the first order names; of how many sentences, those that cover most of the question; of how many
spans at most."""

FEATURES = ("first", "answer", "answer_mean", "tokens", *SEEN)
"""Names of the columns of the second order.

first: log-probability in the first order, of what it did not name the least.
answer: renormalised log-probability of the span after the question, in nats; answer_mean: over its tokens.
tokens: of the span, the one that ends it among them.
"""

SURENESS = (
    "rank",
    "margin",
    "answer",
    "none",
    "near",
    "told",
    "known",
    "sentence",
    "best_sentence",
    "named",
    "named_before",
    "topic",
    "clause",
)
"""Names of the columns of :func:`sureness`.

rank: log-probability of the best span among the candidates.
margin: of that to the second, at most :data:`MAX_MARGIN`, which also stands for no second.
answer: of the best, as in :data:`FEATURES`; none: that of the answer that the passage does not tell.
near: cover of the question by the sentence around it and the three before.
told: cover by the whole passage.
known: share of what the question names that the passage has.
sentence and the rest: of the best, as in :data:`models.retrieval.reading.features.FEATURES`.
"""
MAX_MARGIN = 20.0


def columns_of(
    seen: NDArray[np.float64],
    first: Sequence[float],
    answer: Sequence[float],
    tokens: Sequence[int],
) -> NDArray[np.float64]:
    """Features of K candidates in the second order, (K, F), of what is seen of them, (K, S), and the other columns."""
    heard = np.maximum(np.array([first, answer], dtype=np.float64), MIN_LOG_PROB)
    return np.column_stack((*heard, heard[1] / np.array(tokens), np.array(tokens), seen))


@dataclass(frozen=True, slots=True, eq=False)
class ReadingOrder:
    """Conditional logits over spans and over candidates, and the confidence in what the second puts first."""

    first: Ranking  # over :data:`models.retrieval.reading.features.FEATURES`
    second: Ranking  # over :data:`FEATURES`
    confidence: Confidence  # over :data:`SURENESS`

    @classmethod
    def of(cls, adapter: Path) -> ReadingOrder:
        """What was fitted for an adapter, from its folder.

        Raises:
            RankingError, ConfidenceError: it cannot be used.
        """
        return cls(
            Ranking.load(adapter / FIRST, SEEN),
            Ranking.load(adapter / SECOND, FEATURES),
            Confidence.load(adapter / CONFIDENCE, SURENESS),
        )


def nominated(sight: Sight, index: SpanIndex, first: Ranking) -> dict[int, tuple[float, Span]]:
    """Keys of an index by number, the first in an order that asks no model.

    Each with its log-probability there, and the likeliest of the places where it stands.
    """
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
    best: dict[int, tuple[float, Span]] = {}
    for at in np.argsort(-ranks, kind="stable").tolist():
        best.setdefault(spans[at][0], (float(ranks[at]), spans[at][1]))
        if len(best) == NOMINATED:
            break
    return best


def sureness(
    sight: Sight, places: Sequence[Span], columns: NDArray[np.float64], ranks: NDArray[np.float64], none: float
) -> NDArray[np.float64]:
    """Features of the confidence in the best of K candidates, (1, len(:data:`SURENESS`)).

    Args:
        sight: of passage and question.
        places: where each stands, (K,).
        columns: of each by :data:`FEATURES`, (K, F).
        ranks: log-probability of each among them, (K,).
        none: log-probability of the answer that the passage does not tell.
    """
    best, *rest = np.argsort(-ranks, kind="stable")
    margin = min(ranks[best] - ranks[rest[0]], MAX_MARGIN) if rest else MAX_MARGIN
    by_name = dict(zip(FEATURES, columns[best].tolist(), strict=True))
    own = [by_name["answer"], max(none, MIN_LOG_PROB), sight.near(places[best]), sight.told, sight.known]
    return np.array([[ranks[best], margin, *own, *(by_name[name] for name in SURENESS[len(own) + 2 :])]])
