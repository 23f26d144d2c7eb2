"""Whether a name in a text is a mention: a logistic law over what stands around it and what the model writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.retrieval.links.names import Name
from models.retrieval.links.words import boundaries

FEATURES = ("begins", "ends", "inside", "capital", "sequel")
"""Names of the columns of :func:`features`.

begins, ends: log-probability that a word begins where the name does, and ends where it does
    (:func:`models.retrieval.links.words.boundaries`), at least :data:`LEAST`.
inside: whether it lies within a longer name of the index, or crosses one, which itself cuts no word.
capital: whether a word with a capital that is no name of the index stands against it, as in New Mexico.
sequel: what follows, see :class:`models.retrieval.links.sequel.Sequels`, from 0 to -:data:`LEAST` nats.

How likely the model writes the marked name tells nothing: it was trained on questions, which hold one name.
"""
LEAST = -12.0

_BEFORE = re.compile(r"(\w[\w’'-]*) $")
_AFTER = re.compile(r"^ (\w[\w’'-]*)")
_SENTENCE_END = re.compile(r"(?:^|[.!?:;。！？“\"(]) ?$")


@dataclass(frozen=True, slots=True)
class MentionLaw:
    """p(mention) = 1 / (1 + exp(-(b + w . x))), x the features of a name."""

    weights: tuple[float, ...]  # w
    bias: float  # b

    def log_odds(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        """log p / (1 - p) of N names by their features, (N, F) to (N,)."""
        result: NDArray[np.float64] = self.bias + rows @ np.array(self.weights)
        return result


MENTION_LAW = MentionLaw(weights=(1.0, 0.5, -6.0, -2.0, -0.3), bias=3.0)
"""Fitted on sentences of other templates than those that it is measured on (benchmarks/links.py)."""


def features(text: str, names: Sequence[Name], sequel: Sequence[float]) -> NDArray[np.float64]:
    """Features of the N names of a text, (N, F).

    Args:
        text: in its normal form.
        names: all that :class:`models.retrieval.links.names.NamesIn` found there.
        sequel: of each, see :data:`FEATURES`.
    """
    edges = boundaries(text, ((name.start, name.stop) for name in names))
    cuts = [edges[name.start] + edges[name.stop] for name in names]
    longer = [name for name, cut in zip(names, cuts, strict=True) if cut > np.log(0.5)]
    rows = [
        (
            max(edges[name.start], LEAST),
            max(edges[name.stop], LEAST),
            any(other.length > name.length and other.overlaps(name) for other in longer),
            _beside_capital(text, name, names),
            min(max(gain, 0.0), -LEAST),
        )
        for name, gain in zip(names, sequel, strict=True)
    ]
    return np.array(rows, np.float64).reshape(len(rows), len(FEATURES))


def _beside_capital(text: str, name: Name, names: Sequence[Name]) -> bool:
    """See :data:`FEATURES`; a word that opens a sentence has its capital from that."""
    before, after = _BEFORE.search(text[: name.start]), _AFTER.search(text[name.stop :])
    if before is not None and before[1][0].isupper() and not _SENTENCE_END.search(text[: before.start()]):
        at = before.start()
        if not any(other.start <= at < other.stop for other in names):
            return True
    if after is not None and after[1][0].isupper():
        at = name.stop + 1
        return not any(other.start <= at < other.stop for other in names)
    return False
