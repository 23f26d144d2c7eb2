"""Calibrated confidence, and the threshold below which no answer is given."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from models.retrieval.ranking.fitted import Fitted
from models.retrieval.ranking.logistic import logistic_fit, sigmoid
from models.retrieval.search.confidence_features import FEATURES

RIDGE = 1e-2
"""Weight of |w|^2 / 2 per question: without it a separable sample has no finite fit."""


class ConfidenceError(ValueError):
    """A file of confidence cannot be used; the message holds the remedy."""


@dataclass(frozen=True, slots=True)
class Confidence(Fitted):
    """p(right) = 1 / (1 + exp(-(b + w . (x - mean) / scale))), x the confidence features of a search."""

    error: ClassVar[type[ValueError]] = ConfidenceError

    bias: float  # b
    threshold: float  # answers with a lower p(right) are withheld

    def of(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """p(right) for rows of features, (Q, F) to (Q,); 0 where there was no key."""
        z = self.bias + self.standardised(features) @ np.array(self.weights)
        return np.where(np.isnan(z), 0.0, sigmoid(z))

    @classmethod
    def fit(
        cls,
        features: NDArray[np.float64],
        right: NDArray[np.bool_],
        present: NDArray[np.bool_],
        refused: float = 0.05,
    ) -> Confidence:
        """Logistic regression by Newton's method.

        Args:
            features: (Q, F), of questions with and without an answer in the index.
            right: whether the best key is the answer, (Q,).
            present: whether the index has the answer, (Q,); the threshold is the largest at which at
                most the share ``refused`` of these are withheld.
            refused: share of answerable questions that may be withheld.

        Raises:
            ValueError: not both right and wrong answers, or none present.
        """
        known = ~np.isnan(features).any(1)
        x, y = features[known], right[known].astype(float)
        if not 0 < y.sum() < len(y) or not present.any():
            raise ValueError("confidence needs right and wrong answers to learn from, and questions with an answer")
        mean, scale = x.mean(0), x.std(0) + 1e-9
        weights, bias = logistic_fit((x - mean) / scale, y, RIDGE)
        m, s, w = (tuple(each.tolist()) for each in (mean, scale, weights))
        fitted = cls(FEATURES, m, s, w, bias=bias, threshold=0.0)
        ordered = np.sort(fitted.of(features)[present])
        threshold = float(ordered[int(np.floor(refused * len(ordered)))])
        return replace(fitted, threshold=threshold)
