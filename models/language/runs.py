"""Sentences of a packed batch whose attention runs together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

BLOCK = 16
"""Columns are padded to a multiple of this. Below it matrix products and softmax take other paths
through the vector units, and a score would depend on the batch by its last bits."""

WASTE = 64
"""Padding, counted in blocks of keys for rows of queries, that costs about as much in a layer as the
operations of one more group."""


@dataclass(frozen=True, slots=True, eq=False)
class Runs:
    """Neighbouring sentences, b of them with n new tokens, padded to T new tokens and L in all.

    Shapes: H key-value heads, G query heads for each of them.

    Attributes:
        sentences: which.
        tokens: their new tokens among the packed ones.
        longest: T.
        length: L, a multiple of :data:`BLOCK`.
        places: sentence of each token, counted from the first of these, times T plus its place in
            the run, (n,); None where every run has T tokens.
    """

    sentences: slice
    tokens: slice
    longest: int
    length: int
    places: Tensor | None

    def by_sentence(self, x: Tensor) -> Tensor:
        """(n, H, G, X) to (b * H, T * G, X), zero where a run is shorter than T."""
        _, heads, groups, width = x.shape
        if self.places is not None:
            padded = (self.sentences.stop - self.sentences.start) * self.longest
            x = x.new_zeros(padded, heads, groups, width).index_copy_(0, self.places, x)
        rows = x.reshape(-1, self.longest, heads, groups, width).transpose(1, 2)
        return rows.reshape(-1, self.longest * groups, width)

    def by_token(self, x: Tensor, heads: int, groups: int) -> Tensor:
        """The way back of :meth:`by_sentence`."""
        rows = x.view(-1, heads, self.longest, groups, x.shape[-1]).transpose(1, 2)
        rows = rows.reshape(-1, heads, groups, x.shape[-1])
        return rows if self.places is None else rows.index_select(0, self.places)


def grouped(counts: Sequence[int], lengths: Sequence[int], places: Tensor) -> list[Runs]:
    """Runs of neighbouring sentences of like size, so that little is padded.

    Args:
        counts: new tokens of each sentence; best in order.
        lengths: all its tokens.
        places: place of each new token in its run, counted from 0, (N,).
    """
    groups: list[Runs] = []
    first = token = longest = widest = useful = 0
    for sentence, (count, length) in enumerate(zip(counts, map(whole_blocks, lengths), strict=True)):
        cells = count * _row(length)
        most = (sentence + 1 - first) * max(longest, count) * _row(max(widest, length))
        if sentence > first and most - useful - cells > WASTE:
            groups.append(_group(slice(first, sentence), counts, longest, widest, places, token))
            token = groups[-1].tokens.stop
            first, longest, widest, useful = sentence, 0, 0, 0
        longest, widest, useful = max(longest, count), max(widest, length), useful + cells
    groups.append(_group(slice(first, len(counts)), counts, longest, widest, places, token))
    return groups


def whole_blocks(length: int) -> int:
    """The next multiple of :data:`BLOCK`, at least one."""
    return max(BLOCK, -(-length // BLOCK) * BLOCK)


def _row(length: int) -> int:
    return 1 + length // BLOCK


def _group(sentences: slice, counts: Sequence[int], longest: int, widest: int, places: Tensor, token: int) -> Runs:
    own = counts[sentences]
    tokens = slice(token, token + sum(own))
    at = None
    if min(own) < longest:
        rows: npt.NDArray[np.int64] = np.repeat(np.arange(len(own)) * longest, own)
        at = places[tokens] + torch.from_numpy(rows).to(places.device)
    return Runs(sentences, tokens, longest, widest, at)
