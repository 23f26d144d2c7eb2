"""The floor of :mod:`models.retrieval.ranking.baseline`, found in an index instead of in facts held in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models.retrieval.index.key_format import KeyFormat
from models.retrieval.metrics import normalised
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.ranking.baseline import likeness
from models.retrieval.subtree import below, nodes_of

MOST_KEYS = 10_000
"""Keys of one subject that are looked at."""


@dataclass(frozen=True, eq=False)
class IndexFloor:
    """The longest subject that stands in the question, then the predicate with the largest LCS / sqrt(length).

    As :class:`models.retrieval.ranking.baseline.Floor`, but that subjects are found as they are written, with
    upper and lower case told apart, and that further ties go to the first in the index.

    Attributes:
        index: of triples, subject first.
        key_format: of its keys.
        encode: tokens of texts, as the index was built.
        decode: the text of tokens.
    """

    index: PrefixIndex
    key_format: KeyFormat
    encode: Callable[[list[str]], Sequence[Sequence[int]]]
    decode: Callable[[Sequence[int]], str]

    def answer(self, question: str) -> tuple[int, ...] | None:
        """The key found for a question; None if it names no subject."""
        lengths = range(len(question), 0, -1)
        spans = list(dict.fromkeys(question[a : a + n] for n in lengths for a in range(len(question) - n + 1)))
        separator = self.key_format.separators[0]
        written = [(*tokens, *separator) if tokens else () for tokens in self.encode(spans)] if spans else []
        for tokens, node in zip(written, nodes_of(self.index, written), strict=True):
            if tokens and node is not None:
                keys = [(*tokens, *rest) for rest in below(self.index, node, MOST_KEYS)]
                text = normalised(question)
                return max(keys, key=lambda key: self._likeness(key, text))
        return None

    def _likeness(self, key: tuple[int, ...], text: str) -> tuple[float, int]:
        return likeness(self.decode(self.key_format.split(key)[1]), text)
