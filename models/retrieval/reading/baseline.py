"""Baseline without any learning, reported beside the model."""

from __future__ import annotations

from collections.abc import Collection

from models.retrieval.reading.features import Sight, units
from models.retrieval.reading.spans import spans_of


def baseline(passage: str, question: str, asking: Collection[str]) -> str | None:
    """The longest span without a unit of the question in the sentence that covers most of it; None if there is none.

    Units and cover are those of :mod:`models.retrieval.reading.features`; of several, the first counts.
    """
    sight = Sight(passage, question, asking)
    sentences = [passage[a:b] for a, b in sight.sentences]
    if not sentences:
        return None
    nearest = max(sentences, key=sight.cover)
    told = units(question) | set(asking)
    spans = [nearest[a:b] for a, b in spans_of(nearest)]
    return max((span for span in spans if not told & units(span)), key=len, default=None)
