"""Keys and values of contexts."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor

COLUMN_BLOCK = 16
"""Columns are padded to a multiple of this. Below it matrix products and softmax take other paths
through the vector units, and a score would depend on the batch by its last bits."""


class ContextCache(NamedTuple):
    """Keys and values of a context of C tokens, padded to a multiple of :data:`COLUMN_BLOCK`.

    Attributes:
        layers: (layers, 2, H, C', D).
        length: C.
    """

    layers: Tensor
    length: int

    @classmethod
    def of(cls, tokens: Tensor) -> ContextCache:
        """From keys and values by token, (C, layers, 2, H, D); C may be 0."""
        length = tokens.shape[0]
        padded = tokens.new_zeros(whole_blocks(length), *tokens.shape[1:])
        padded[:length] = tokens
        return cls(padded.permute(1, 2, 3, 0, 4).contiguous(), length)


def whole_blocks(length: int) -> int:
    """The next multiple of :data:`COLUMN_BLOCK`, at least one."""
    return max(COLUMN_BLOCK, -(-length // COLUMN_BLOCK) * COLUMN_BLOCK)
