"""The floor of :mod:`models.retrieval.floor`, found in an index instead of in facts held in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.retrieval.floor import likeness
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.metrics import normalised
from models.retrieval.prefix_index import PrefixIndex

MOST_KEYS = 10_000
"""Keys of one subject that are looked at."""


@dataclass(frozen=True, eq=False)
class IndexFloor:
    """The longest subject that stands in the question, then the predicate with the largest LCS / sqrt(length).

    As :class:`models.retrieval.floor.Floor`, but that subjects are found as they are written, with
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


def nodes_of(index: PrefixIndex, prefixes: Sequence[Sequence[int]]) -> list[int | None]:
    """The node of each prefix, None where no key begins with it; shared beginnings are walked once."""
    found: list[int | None] = [None] * len(prefixes)
    at: dict[int, list[int]] = {index.root: list(range(len(prefixes)))}
    depth = 0
    while at:
        for node, members in at.items():
            for i in members:
                if len(prefixes[i]) == depth:
                    found[i] = node
        going = {node: [i for i in members if len(prefixes[i]) > depth] for node, members in at.items()}
        going = {node: members for node, members in going.items() if members}
        allowed = index.allowed(np.fromiter(going, np.int64, len(going)))
        at = {}
        for place, members in enumerate(going.values()):
            span = slice(int(allowed.offsets[place]), int(allowed.offsets[place + 1]))
            tokens, children = allowed.tokens[span], allowed.children[span]
            for i in members:
                where = int(np.searchsorted(tokens, prefixes[i][depth]))
                if where < len(tokens) and tokens[where] == prefixes[i][depth]:
                    at.setdefault(int(children[where]), []).append(i)
        depth += 1
    return found


def below(index: PrefixIndex, node: int, most: int) -> Iterator[tuple[int, ...]]:
    """What completes a node's prefix to keys, in lexicographic order, the first ``most`` of them."""
    waiting: list[tuple[tuple[int, ...], int]] = [((), node)]
    given = 0
    while waiting and given < most:
        written, at = waiting.pop()
        allowed = index.allowed(np.array([at], dtype=np.int64))
        if allowed.final[0]:
            given += 1
            yield written
        pairs = zip(allowed.tokens.tolist(), allowed.children.tolist(), strict=True)
        waiting += [((*written, token), child) for token, child in pairs][::-1]
