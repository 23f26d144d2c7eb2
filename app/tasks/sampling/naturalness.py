"""Naturalness: how likely a reader is to find a sentence natural, told by its log-probs after others and alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from app.languages.base import Language
from models.odds import Features

LogProbs = npt.NDArray[np.floating]

UNLIKELY = (-4.0, -6.0, -8.0)
"""Log-probs below which tokens are counted."""
LIKELY = -1.0
"""The same, above."""
PAUSES = frozenset(",，、;；:：")


def features_of(text: str, after: LogProbs, alone: LogProbs, language: Language) -> Features:
    """What the odds are told by; log-probs in nats.

    Args:
        text: the sentence.
        after: log-prob of each token, after the language's opening.
        alone: the same, after nothing.
        language: whose words are counted.
    """
    words = [text[start:stop] for start, stop in language.word_spans(text)]
    return {
        "length": float(np.log(len(after))),
        "words": float(len(words)),
        "distinct": len(set(words)) / max(1, len(words)),
        "characters": sum(len(word) == 1 for word in words) / max(1, len(words)),
        "pauses": float(sum(character in PAUSES for character in text)),
        "context": float(after.mean() - alone.mean()),
        **{f"after.{name}": value for name, value in _of_log_probs(after)},
        **{f"alone.{name}": value for name, value in _of_log_probs(alone)},
    }


def _of_log_probs(log_probs: LogProbs) -> Iterator[tuple[str, float]]:
    ordered = np.sort(log_probs)
    yield "mean", float(ordered.mean())
    yield "spread", float(ordered.std())
    for count in (1, 2, 4):
        yield f"least_{count}", float(ordered[:count].mean())
    yield "quartile", float(np.quantile(ordered, 0.25))
    yield "median", float(np.median(ordered))
    # Not of the first: readers do not mind what begins a sentence, the odds of few openings would.
    for name, place in (("second", 1), ("penultimate", -2), ("last", -1)):
        yield name, float(log_probs[min(place, len(log_probs) - 1) if place > 0 else max(place, -len(log_probs))])
    for bound in UNLIKELY:
        yield f"below_{-bound:g}", float((log_probs < bound).sum())
    yield "likely", float((log_probs > LIKELY).mean())
