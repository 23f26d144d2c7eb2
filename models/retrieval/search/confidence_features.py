"""Features of the confidence in the best answer of a search."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.retrieval.metrics import lcs, normalised
from models.retrieval.search.options import Answer
from models.retrieval.writers.base import Extension, KeyModel
from models.retrieval.writers.codec import KeyCodec

FEATURES = ("rank", "margin", "renormalised", "name", "weakest", "cover", "predicate")
"""Names of the columns of :func:`confidence_features`.

rank: rank score of the best key, in nats.
margin: of ranks to the second key, at most :data:`MAX_MARGIN`, which also stands for no second.
renormalised: of the best key, log-probability in nats.
name: raw log-probability of the key's first part and the separator after it. An index without the
    entity asked for leaves only other names, which the model, left alone, would not have written;
    renormalised scores cannot tell.
weakest: the least of that part's tokens.
cover: LCS of the first part and the question over the part's length.
predicate: LCS of the second part and the question over the part's length, 0 if there is none.
"""
MAX_MARGIN = 20.0


def confidence_features(model: KeyModel, questions: Sequence[str], answers: Sequence[Answer]) -> NDArray[np.float64]:
    """Features of the best key of each answer, (Q, F); NaN in the rows of answers without any key."""
    features = np.full((len(questions), len(FEATURES)), np.nan)
    asked = [i for i, answer in enumerate(answers) if answer.found]
    if not asked:
        return features
    session = model.read([questions[i] for i in asked])
    runs = [_first_part(model.codec, answers[i].found[0].tokens) for i in asked]
    nothing = np.array([model.codec.end])
    extended = session.extend([Extension(k, None, run, nothing) for k, run in enumerate(runs)], raw=True)
    for i, one in zip(asked, extended, strict=True):
        best, *others = answers[i].found
        written = one.written
        assert written is not None
        margin = best.rank_score - others[0].rank_score if others else MAX_MARGIN
        name, predicate, *_ = (*model.codec.parts(best.tokens), "")
        features[i] = (
            best.rank_score,
            min(margin, MAX_MARGIN),
            best.renormalised,
            written.sum(),
            written.min(),
            _cover(name, questions[i]),
            _cover(predicate, questions[i]),
        )
    return features


def _cover(part: str, question: str) -> float:
    part = normalised(part)
    return lcs(part, normalised(question)) / len(part) if part else 0.0


def _first_part(codec: KeyCodec, tokens: tuple[int, ...]) -> tuple[int, ...]:
    """The first part and its separator; the whole key and the end token if it is one part."""
    if codec.separator in tokens:
        return tokens[: tokens.index(codec.separator) + 1]
    return (*tokens, codec.end)
