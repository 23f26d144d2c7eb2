"""Noisy channel: doubtful candidates in a second order, by the probability of the question as well.

A model that was trained to write keys gives p(key | question); where candidates are close it errs on
predicates that it has not seen. The probability of the question under each key, p(question | key), from a
model that was not trained on keys errs elsewhere (the noisy channel of Brown et al., 1993; for retrieval
Sachan et al., Improving Passage Retrieval with Zero-Shot Question Generation, EMNLP 2022).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from models.retrieval.ranking.logit import FEATURES as OF_A_KEY
from models.retrieval.ranking.logit import MIN_LOG_PROB, Ranking

FEATURES = (*OF_A_KEY, "question")
"""Names of the columns of the second order.

question: log p(question | key) less that of the likeliest candidate, in nats, at least
:data:`models.retrieval.ranking.logit.MIN_LOG_PROB`; the rest as in :data:`models.retrieval.ranking.logit.FEATURES`.
"""
MIN_DOUBT_SHARE = 0.005
"""Share of the best candidate's probability from which on another is in doubt."""
MAX_DOUBTFUL = 10
"""Candidates in doubt, at most."""


class QuestionLikelihood(Protocol):
    """Model of log p(question | key)."""

    def log_likelihoods(self, question: str, keys: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        """Log-likelihoods of a question under K keys, given by their parts, (K,), in nats, up to a constant."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SecondOrder:
    """K candidates in the second order, and what D doubtful ones were judged by."""

    log_probs: NDArray[np.float64]  # (K,)
    kept: NDArray[np.int64]  # (D,) numbers of the doubtful ones; none where there are fewer than two
    columns: NDArray[np.float64]  # (D, F + 1)


@dataclass(frozen=True, slots=True, eq=False)
class NoisyChannel:
    """Model of the second order."""

    likelihood: QuestionLikelihood
    ranking: Ranking  # over FEATURES

    def order(
        self, question: str, keys: Sequence[Sequence[str]], columns: NDArray[np.float64], first: NDArray[np.float64]
    ) -> SecondOrder:
        """K candidates, given by their parts, their features, (K, F), and log p by the first order, (K,)."""
        kept = doubtful(first)
        if len(kept) < 2:
            return SecondOrder(first, kept[:0], np.empty((0, len(FEATURES))))
        extended = with_question(self.likelihood, question, keys, columns, kept)
        return SecondOrder(self.combined(first, kept, extended), kept, extended)

    def combined(
        self, first: NDArray[np.float64], kept: NDArray[np.int64], columns: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """The probability of all doubtful candidates in the first order, shared as the second has it.

        Args:
            first: log p by the first order, (K,).
            kept: numbers of the doubtful ones, (D,).
            columns: of these, (D, F + 1).
        """
        both = first.copy()
        both[kept] = np.logaddexp.reduce(first[kept]) + self.ranking.log_probs(columns)
        return both


def doubtful(first: NDArray[np.float64]) -> NDArray[np.int64]:
    """Numbers of the candidates in doubt, best first."""
    order: NDArray[np.int64] = np.argsort(-first, kind="stable")[:MAX_DOUBTFUL]
    kept: NDArray[np.int64] = order[first[order] >= first[order[:1]] + np.log(MIN_DOUBT_SHARE)]
    return kept


def with_question(
    likelihood: QuestionLikelihood,
    question: str,
    keys: Sequence[Sequence[str]],
    columns: NDArray[np.float64],
    kept: NDArray[np.int64],
) -> NDArray[np.float64]:
    """The columns of doubtful candidates and that of the question, (len(kept), F + 1)."""
    logs = likelihood.log_likelihoods(question, [keys[i] for i in kept])
    return np.column_stack((columns[kept], np.maximum(logs - logs.max(), MIN_LOG_PROB)))
