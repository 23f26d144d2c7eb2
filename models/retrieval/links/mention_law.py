"""Whether a name in a text is a mention: a logistic law over what stands around it and what the model writes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from lemminflect import getAllLemmas
from numpy.typing import NDArray

from models.retrieval.links.names import Name
from models.retrieval.links.words import boundaries

FEATURES = ("begins", "ends", "inside", "before", "after", "sequel")
"""Names of the columns of :func:`features`.

begins, ends: log-probability that a word begins where the name does, and ends where it does
    (:func:`models.retrieval.links.words.boundaries`), at least :data:`LEAST`.
inside: whether it lies within a longer name of the index, or crosses one, which itself cuts no word.
before, after: whether a word with a capital that is no name of the index stands before it, as in New Mexico, or after
    it, as in Georgia Tech. One that opens a sentence counts if it is a name, as Michael is: no word of the language.
sequel: what follows it, see :class:`models.retrieval.links.sequel.Sequels`, over the tokens of the name, which the less
    often is a part of another the longer it is; from 0 to :data:`MOST` nats.

How likely the model writes the marked name tells nothing: it was trained on questions, which hold one name.
"""
LEAST, MOST = -4.0, 6.0

_ORDINARY = (
    "a all an and any as at both but by did each every for from had has have he her his how if in into its it like "
    "many my no nor not of on or our per she since so some than that the their these they this those though to under "
    "until upon we what when where which while who whom whose why with within without would you your monday tuesday "
    "wednesday thursday friday saturday sunday january february march april may june july august september october "
    "november december"
)
"""Words with a capital that are no names: days, months, and what opens sentences and has no inflections."""
_NO_NAMES = frozenset(_ORDINARY.split())
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


MENTION_LAW = MentionLaw(weights=(2.21, 1.88, -7.64, -8.96, -0.78, -1.14), bias=4.94)
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
            _capital_before(text, name, names),
            _capital_after(text, name, names),
            min(max(gain / len(name.tokens), 0.0), MOST),
        )
        for name, gain in zip(names, sequel, strict=True)
    ]
    return np.array(rows, np.float64).reshape(len(rows), len(FEATURES))


def _capital_before(text: str, name: Name, names: Sequence[Name]) -> bool:
    """See :data:`FEATURES`."""
    found = _BEFORE.search(text[: name.start])
    if found is None or not found[1][0].isupper() or _is_in(found.start(), names):
        return False
    word = found[1].lower()
    opens = _SENTENCE_END.search(text[: found.start()]) is not None
    return word not in _NO_NAMES and not (opens and getAllLemmas(word))


def _capital_after(text: str, name: Name, names: Sequence[Name]) -> bool:
    found = _AFTER.search(text[name.stop :])
    return found is not None and found[1][0].isupper() and not _is_in(name.stop + 1, names)


def _is_in(at: int, names: Sequence[Name]) -> bool:
    return any(name.start <= at < name.stop for name in names)
