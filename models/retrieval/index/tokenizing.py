"""Texts to tokens, each distinct text once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import compress
from operator import ne

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from models.retrieval.index.ragged import Ragged

Encode = Callable[[list[str]], Sequence[Sequence[int]]]
"""Token ids of each text of a batch, nothing added at either end."""

Tell = Callable[[int, int], None]
"""Called with how much is done, and of how much."""

_BATCH = 16_384


class Interner:
    """Numbers texts, given in UTF-8, in order of first appearance."""

    def __init__(self) -> None:
        self._numbers: defaultdict[bytes, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, texts: Sequence[bytes]) -> NDArray[np.uint32]:
        """The number of each text; a new one for a text not seen before."""
        # Sources tend to give the lines of an entity together, and a comparison is cheaper than a look-up.
        new = np.ones(len(texts), np.bool_)
        new[1:] = np.fromiter(map(ne, texts[1:], texts), np.bool_, max(0, len(texts) - 1))
        distinct = list(compress(texts, new.tolist()))
        found = np.fromiter(map(self._numbers.__getitem__, distinct), np.uint32, len(distinct))
        numbers: NDArray[np.uint32] = found[np.cumsum(new) - 1]
        return numbers

    def known(self, text: bytes) -> int | None:
        """The number of a text, or None if it was never numbered."""
        return self._numbers.get(text)

    def texts(self) -> list[str]:
        """All texts by number."""
        return [text.decode() for text in self._numbers]


def batch_encoder(tokenizer: Tokenizer) -> Encode:
    """An :data:`Encode` of a fast tokenizer."""

    def encode(texts: list[str]) -> list[list[int]]:
        return [encoding.ids for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    return encode


def tokenize(texts: list[str], encode: Encode, tell: Tell) -> Ragged:
    """The tokens of every text, encoded in batches.

    Raises:
        ValueError: the encoder gave another number of sequences than texts.
    """
    pieces = []
    for at in range(0, len(texts), _BATCH):
        batch = texts[at : at + _BATCH]
        encoded = encode(batch)
        if len(encoded) != len(batch):
            raise ValueError(f"the encoder gave {len(encoded)} sequences for {len(batch)} texts")
        pieces.append(Ragged.of(encoded))
        tell(at + len(batch), len(texts))
    return Ragged.concatenate(pieces)
