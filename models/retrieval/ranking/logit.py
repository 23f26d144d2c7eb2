"""Conditional logit over a question's candidate keys, fitted on questions with known answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from models.retrieval.metrics import lcs, normalised
from models.retrieval.misspelt import misspelt_span
from models.retrieval.ranking.fitted import Fitted

FEATURES = (
    "renormalised",
    "length",
    "named",
    "near",
    "name_length",
    "name_cover",
    "predicate_likeness",
    "predicate_cover",
    "predicate_named",
    "meant",
    "meaning_likeness",
    "predicate_length",
)
"""Names of the columns that :func:`features` gives.

renormalised: log-probability in nats, at least :data:`MIN_LOG_PROB`.
length: tokens of the key.
named: whether the subject stands in the question.
near: whether it does not, but one error away (:mod:`models.retrieval.misspelt`).
name_length: its characters if either is so, else 0.
name_cover: LCS of subject and question over the subject's length.
predicate_likeness: LCS of predicate and the rest of the question over the square root of the predicate's length.
predicate_cover: the same over the length itself.
predicate_named: whether the predicate stands in the rest.
meant: whether the key has a meaning.
meaning_likeness: as predicate_likeness.
predicate_length: characters.

LCS is that of :func:`models.retrieval.metrics.lcs`; the rest of the question is the question without the
subject, if that stands in it, perhaps misspelt.
"""
MIN_LOG_PROB = -30.0
RIDGE = 0.3
_STEPS = 100


class RankingError(ValueError):
    """A file of a ranking cannot be used; the message holds the remedy."""


def features(
    question: str, parts: Sequence[Sequence[str]], renormalised: Sequence[float], lengths: Sequence[int]
) -> NDArray[np.float64]:
    """Features of K candidates of a question, (K, F).

    Args:
        question: its text.
        parts: of each key: subject, predicate, meaning; the others count as empty.
        renormalised: log-probability of each.
        lengths: tokens of each.
    """
    text = normalised(question)
    rows = []
    for key, score, length in zip(parts, renormalised, lengths, strict=True):
        name, predicate, meaning = (normalised(part) for part in (*key, "", "")[:3])
        named = bool(name) and name in text
        span = name if named else misspelt_span(name, text)
        rest = text.replace(span, " ", 1) if span else text
        covered = lcs(predicate, rest)
        rows.append(
            (
                max(score, MIN_LOG_PROB),
                length,
                named,
                bool(span) and not named,
                len(name) if span else 0,
                lcs(name, text) / max(1, len(name)),
                covered / sqrt(max(1, len(predicate))),
                covered / max(1, len(predicate)),
                bool(predicate) and predicate in rest,
                bool(meaning),
                lcs(meaning, rest) / sqrt(max(1, len(meaning))),
                len(predicate),
            )
        )
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))


@dataclass(frozen=True, slots=True)
class Ranking(Fitted):
    """p(key k | question, candidates) = softmax_k(w . (x_k - mean) / scale): a conditional logit (McFadden, 1974)."""

    error: ClassVar[type[ValueError]] = RankingError

    def log_probs(self, candidates: NDArray[np.float64]) -> NDArray[np.float64]:
        """log p of each candidate, (K, F) to (K,)."""
        scores = self.standardised(candidates) @ np.array(self.weights)
        result: NDArray[np.float64] = scores - np.logaddexp.reduce(scores)
        return result

    def contributions(self, candidates: NDArray[np.float64]) -> NDArray[np.float64]:
        """Terms of the score of each candidate, of which log p is the log-softmax, (K, F) to (K, F)."""
        result: NDArray[np.float64] = self.standardised(candidates) * np.array(self.weights)
        return result

    @classmethod
    def of_model(cls) -> Ranking:
        """The model's own order: p proportional to the renormalised probability."""
        count = len(FEATURES)
        weights = tuple(float(name == "renormalised") for name in FEATURES)
        return cls(FEATURES, (0.0,) * count, (1.0,) * count, weights)

    @classmethod
    def fit(
        cls,
        questions: Sequence[tuple[NDArray[np.float64], int | None]],
        names: tuple[str, ...] = FEATURES,
    ) -> Ranking:
        """Maximum likelihood under a ridge, by Newton's method: the log-likelihood is concave.

        Args:
            questions: of each the candidates' features, (K, F), and the number of the right one; None if
                none is right, which leaves the question out.
            names: of the columns.

        Raises:
            ValueError: no question has a right candidate beside a wrong one.
        """
        known = [(x, right) for x, right in questions if right is not None and len(x) > 1]
        if not known:
            raise ValueError("a ranking needs questions with a right candidate and a wrong one to learn from")
        every = np.concatenate([x for x, _ in known])
        mean, scale = every.mean(0), every.std(0) + 1e-9
        scaled = [((x - mean) / scale, right) for x, right in known]
        weights: NDArray[np.float64] = np.zeros(every.shape[1])
        best = -np.inf
        step: NDArray[np.float64] = np.zeros_like(weights)
        for _ in range(_STEPS):
            value, gradient, curvature = _likelihood(scaled, weights)
            if value < best:  # too far: halve the last step
                step /= 2
                weights -= step
            else:
                best = value
                step = np.asarray(np.linalg.solve(curvature, gradient), dtype=np.float64)
                weights = weights + step
            if np.abs(step).max() < 1e-9:
                break
        return cls(names, tuple(mean.tolist()), tuple(scale.tolist()), tuple(weights.tolist()))


def _likelihood(
    questions: Sequence[tuple[NDArray[np.float64], int]], weights: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64], NDArray[np.float64]]:
    """Penalised log-likelihood, its gradient, and minus its second derivative."""
    value = -RIDGE * float(weights @ weights) / 2
    gradient = -RIDGE * weights
    curvature = RIDGE * np.eye(len(weights))
    for x, right in questions:
        scores = x @ weights
        logs = scores - np.logaddexp.reduce(scores)
        p = np.exp(logs)
        value += float(logs[right])
        centred = x - p @ x
        gradient = gradient + centred[right]
        curvature = curvature + (centred * p[:, None]).T @ centred
    return value, gradient, curvature
