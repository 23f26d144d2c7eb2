"""Baseline without any learning, reported beside the model."""

from __future__ import annotations

from models.retrieval.reading.sight import Sight, units
from models.retrieval.reading.spans import spans_of


def baseline(sight: Sight) -> str | None:
    """The longest span without a unit of the question in the sentence that covers most of it; None if there is none.

    Units and cover are those of :mod:`models.retrieval.reading.sight`; of several, the first counts.
    """
    told = units(sight.question) | set(sight.asking)
    if sight.best_sentence is None:
        return None
    start, end = sight.best_sentence
    text = sight.passage[start:end]
    spans = [text[a:b] for a, b in spans_of(text)]
    return max((span for span in spans if not told & units(span)), key=len, default=None)
