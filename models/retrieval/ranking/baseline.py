"""Baseline without any learning, reported beside every model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.metrics import lcs, normalised
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.subtree import below, nodes_of

MAX_KEYS = 10_000
"""Keys of one subject that are compared."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """The longest subject that stands in the question, then the predicate with the largest LCS / sqrt(length).

    Subjects are found as they are written, upper and lower case being different; of subjects of one length
    the first in the question counts, of predicates that are alike as much the shortest, then the first in
    the index. LCS is that of :func:`models.retrieval.metrics.lcs`.
    """

    index: PrefixIndex  # of triples, subject first
    key_format: KeyFormat
    encode: Callable[[list[str]], Sequence[Sequence[int]]]  # tokens of texts, as the index was built
    decode: Callable[[Sequence[int]], str]  # the text of tokens

    def answer(self, question: str) -> tuple[int, ...] | None:
        """The key found for a question; None if it names no subject."""
        lengths = range(len(question), 0, -1)
        spans = list(dict.fromkeys(question[a : a + n] for n in lengths for a in range(len(question) - n + 1)))
        separator = self.key_format.separators[0]
        written = [(*tokens, *separator) if tokens else () for tokens in self.encode(spans)] if spans else []
        for tokens, node in zip(written, nodes_of(self.index, written), strict=True):
            if tokens and node is not None:
                keys = [(*tokens, *rest) for rest in below(self.index, [node], MAX_KEYS)[0]]
                text = normalised(question)
                return max(keys, key=lambda key: likeness(self.decode(self.key_format.split(key)[1]), text))
        return None


def likeness(predicate: str, text: str) -> tuple[float, int]:
    """LCS of a predicate and a normalised question over the square root of its length; ties go to the shorter."""
    written = normalised(predicate)
    return (lcs(written, text) / sqrt(len(written)) if written else 0.0), -len(written)
