"""Order of the spans that a beam found, and the confidence in the best, fitted on questions with known answers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.ranking.logit import Ranking
from models.retrieval.reading.features import FEATURES, Sight
from models.retrieval.search.confidence import Confidence

FITTED = Path(__file__).with_name("fitted")
"""A folder for each model that something is fitted for, by its name."""
RANKING, CONFIDENCE = "ranking.json", "confidence.json"

SURENESS = ("rank", "margin", "renormalised", "question", "sentence", "clause", "told")
"""Names of the columns of :func:`sureness`.

rank: log-probability of the best span among the candidates.
margin: of that to the second, at most :data:`MAX_MARGIN`, which also stands for no second.
renormalised: of the best, log-probability among all spans.
question: log p(question | passage, best span) over the question's tokens.
sentence, clause: cover of the question by what stands around it.
told: cover by the whole passage.
"""
MAX_MARGIN = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class ReadingOrder:
    """A conditional logit over candidates, and the confidence in what it puts first."""

    ranking: Ranking
    confidence: Confidence

    @classmethod
    def of(cls, model: str) -> ReadingOrder | None:
        """What was fitted for a model, if something was.

        Raises:
            RankingError, ConfidenceError: it cannot be used.
        """
        folder = FITTED / model
        if not folder.is_dir():
            return None
        return cls(Ranking.load(folder / RANKING, FEATURES), Confidence.load(folder / CONFIDENCE, SURENESS))


def sureness(
    sight: Sight, columns: NDArray[np.float64], ranks: NDArray[np.float64], question: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Features of the confidence in the best of K candidates, (1, len(:data:`SURENESS`)).

    Args:
        sight: of passage and question.
        columns: the candidates' features, (K, F).
        ranks: log-probability of each among them, (K,).
        question: mean log-probability of the question's tokens given each, (K,).
    """
    first, *rest = np.argsort(-ranks, kind="stable")
    by_name = dict(zip(FEATURES, columns[first], strict=True))
    return np.array(
        [
            [
                ranks[first],
                min(ranks[first] - ranks[rest[0]], MAX_MARGIN) if rest else MAX_MARGIN,
                by_name["renormalised"],
                question[first],
                by_name["sentence"],
                by_name["clause"],
                sight.cover(sight.passage),
            ]
        ]
    )
