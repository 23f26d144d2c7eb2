"""Index over the spans of a passage, made on the fly."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.retrieval.prefix_index import Allowed
from models.retrieval.reading.spans import Span, key_text

_Expanded = tuple[NDArray[np.int64], NDArray[np.int64], bool]
"""Next tokens of a node, the nodes that they lead to, and whether a key ends there."""


class SpanIndex:
    """A :class:`models.retrieval.prefix_index.PrefixIndex` of spans, not safe for threads.

    The key of a span is the tokenizer's own encoding of its text, not the tokens that it has within the passage. Keys
    lie sorted in one array, in which a prefix is a range of rows; nodes are made where a search comes by.

    Attributes:
        keys: in order, each by its number.
        occurrences: of each.
        passage: that they are of.
        none: the number of the key that says that the passage does not tell; None if there is none.
    """

    root = 0

    def __init__(
        self, occurrences: dict[tuple[int, ...], list[Span]], passage: str, none: tuple[int, ...] | None = None
    ) -> None:
        self.keys = sorted(occurrences)
        self.occurrences = [occurrences[key] for key in self.keys]
        self.passage = passage
        self.none = None if none is None else self.find(none)
        self._lengths = np.array([len(key) for key in self.keys], dtype=np.int64)
        self._tokens = np.full((len(self.keys), int(self._lengths.max(initial=0))), -1, dtype=np.int64)
        self._tokens[np.arange(self._tokens.shape[1]) < self._lengths[:, None]] = [t for key in self.keys for t in key]
        self._ranges = [(0, 0, len(self.keys))]  # of each node: tokens of the prefix, first row, row after the last
        self._expanded: dict[int, _Expanded] = {}

    @classmethod
    def of(
        cls,
        passage: str,
        spans: Iterable[Span],
        encode: Callable[[list[str]], Sequence[Sequence[int]]],
        end: int,
        none: str = "",
    ) -> SpanIndex:
        """The index of a passage's spans.

        Args:
            passage: that they are of.
            spans: perhaps several of one text, which is encoded once.
            encode: token ids of each text of a batch.
            end: the token that closes a key; a span whose tokens hold it is left out.
            none: a text that is no span, and is a key without occurrences; empty for no such key.
        """
        alike: dict[str, list[Span]] = {none: []} if none else {}
        for span in spans:
            alike.setdefault(key_text(passage[span.start : span.end]), []).append(span)
        occurrences: dict[tuple[int, ...], list[Span]] = {}
        for tokens, its in zip(map(tuple, encode(list(alike))), alike.values(), strict=True):
            if tokens and end not in tokens:
                occurrences.setdefault(tokens, []).extend(its)
        return cls(occurrences, passage, next((key for key, its in occurrences.items() if not its), None))

    def allowed(self, nodes: NDArray[np.int64]) -> Allowed:
        """See :meth:`models.retrieval.prefix_index.PrefixIndex.allowed`."""
        expanded = [self._expand(node) for node in nodes.tolist()]
        return Allowed.of(
            np.array([len(tokens) for tokens, _, _ in expanded], dtype=np.int64),
            np.concatenate([tokens for tokens, _, _ in expanded] or [np.empty(0, np.int64)]),
            np.concatenate([children for _, children, _ in expanded] or [np.empty(0, np.int64)]),
            np.array([final for _, _, final in expanded], dtype=np.bool_),
        )

    def find(self, tokens: Sequence[int]) -> int | None:
        """See :meth:`models.retrieval.prefix_index.PrefixIndex.find`."""
        at = bisect_left(self.keys, tuple(tokens))
        return at if at < len(self.keys) and self.keys[at] == tuple(tokens) else None

    def key(self, number: int) -> tuple[int, ...]:
        """See :meth:`models.retrieval.prefix_index.PrefixIndex.key`."""
        return self.keys[number]

    def values(self, number: int) -> list[str]:
        """The texts of a key as they stand in the passage; one, but for spellings of one normal form."""
        return list(dict.fromkeys(self.passage[span.start : span.end] for span in self.occurrences[number]))

    def __len__(self) -> int:
        return len(self.keys)

    def _expand(self, node: int) -> _Expanded:
        if node not in self._expanded:
            depth, first, last = self._ranges[node]
            final = first < last and bool(self._lengths[first] == depth)
            column = self._tokens[first + final : last, depth] if first + final < last else np.empty(0, np.int64)
            starts = np.flatnonzero(np.diff(column, prepend=-1))
            stops = [*starts[1:].tolist(), len(column)]
            children = np.arange(len(self._ranges), len(self._ranges) + len(starts))
            base = first + final
            self._ranges += [(depth + 1, base + a, base + b) for a, b in zip(starts.tolist(), stops, strict=False)]
            self._expanded[node] = (column[starts], children, final)
        return self._expanded[node]
