"""Reranking: the keys of an answer in a fitted order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from models.retrieval.ranking.logit import Ranking, features
from models.retrieval.ranking.noisy_channel import NoisyChannel
from models.retrieval.search.explanation import Order, Term, terms
from models.retrieval.search.options import Answer, Found
from models.retrieval.writers.codec import KeyCodec


def rerank(ranking: Ranking, codec: KeyCodec, question: str, answer: Answer) -> Answer:
    """The same keys in the order of a ranking."""
    return _by(ranking.log_probs(columns(codec, question, answer.found)), answer) if answer.found else answer


def rerank_by_channel(noisy_channel: NoisyChannel, codec: KeyCodec, question: str, answer: Answer) -> Answer:
    """The same keys, ranked before, in the order of a noisy channel."""
    if len(answer.found) < 2:
        return answer
    first = np.array([found.rank_score for found in answer.found])
    keys = [codec.parts(found.tokens) for found in answer.found]
    second = noisy_channel.order(question, keys, columns(codec, question, answer.found), first)
    found = list(answer.found)
    if found[0].explanation is not None:
        for i, row in zip(second.kept, terms(noisy_channel.ranking, second.columns), strict=True):
            found[i] = with_terms(found[i], "second", row)
    return _by(second.log_probs, replace(answer, found=tuple(found)))


def with_terms(found: Found, order: Order, row: tuple[Term, ...]) -> Found:
    """A key with the terms of an order in its explanation, if it has one."""
    why = found.explanation
    return found if why is None else replace(found, explanation=replace(why, order=order, terms=row))


def _by(logs: NDArray[np.float64], answer: Answer) -> Answer:
    """The same keys ranked by these log-probs."""
    order = np.argsort(-logs, kind="stable")
    return replace(answer, found=tuple(replace(answer.found[i], rank_score=float(logs[i])) for i in order))


def columns(codec: KeyCodec, question: str, found: Sequence[Found]) -> NDArray[np.float64]:
    """:func:`models.retrieval.ranking.logit.features` of keys, (K, F)."""
    keys = [codec.parts(one.tokens) for one in found]
    return features(question, keys, [one.renormalised for one in found], [len(one.tokens) + 1 for one in found])
