"""Fit confidence on questions that an index can answer and on questions that it cannot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.retrieval.confidence import Confidence
from models.retrieval.evidence import evidence
from models.retrieval.metrics import exact_match
from models.retrieval.model import KeyModel
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.search.options import Answer, SearchOptions
from models.retrieval.search.search import search
from models.retrieval.training.examples import Example


def calibrate(
    model: KeyModel,
    index: PrefixIndex,
    answerable: Sequence[Example],
    lacking: PrefixIndex,
    unanswerable: Sequence[Example],
    options: SearchOptions,
    refused: float = 0.05,
) -> Confidence:
    """Search both kinds of questions and fit.

    Args:
        model: writes the keys.
        index: holds the facts of ``answerable``.
        answerable: questions of dev.
        lacking: an index without the entities of ``unanswerable``.
        unanswerable: other questions of dev.
        options: of the search whose confidence it will be; n of at least 2 gives the margin.
        refused: the share of answerable questions that may go without an answer.

    Raises:
        ValueError: see :meth:`models.retrieval.confidence.Confidence.fit`.
    """
    asked = [[example.question for example in part] for part in (answerable, unanswerable)]
    answers = [search(where, model, part, options) for where, part in zip((index, lacking), asked, strict=True)]
    features = np.concatenate([evidence(model, part, found) for part, found in zip(asked, answers, strict=True)])
    right = [is_right(model, example, answer) for example, answer in zip(answerable, answers[0], strict=True)]
    present = np.arange(len(features)) < len(answerable)
    return Confidence.fit(features, np.array(right + [False] * len(unanswerable)), present, refused)


def is_right(model: KeyModel, example: Example, answer: Answer) -> bool:
    """Whether the best key is the example's."""
    if not answer.found:
        return False
    parts = model.codec.parts(answer.found[0].tokens)
    return len(parts) == 3 and all(map(exact_match, example.fact.parts, parts))
