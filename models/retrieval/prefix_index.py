"""What search asks of an index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Allowed:
    """Next tokens of a beam of B nodes, ragged.

    Attributes:
        offsets: node b owns the slice offsets[b]:offsets[b + 1], (B + 1,).
        tokens: next tokens, ascending within a node, (N,).
        children: the node that each token leads to, (N,).
        final: whether a key ends at the node, (B,).
    """

    offsets: NDArray[np.int64]
    tokens: NDArray[np.int64]
    children: NDArray[np.int64]
    final: NDArray[np.bool_]


class PrefixIndex(Protocol):
    """Keys, which are token sequences, by their prefixes.

    No node is a dead end: from each, some key is reached. Keys exclude the model's end token;
    search adds it where ``final``.
    """

    root: int

    def allowed(self, nodes: NDArray[np.int64]) -> Allowed:
        """Next tokens and children of each node of a beam."""
        ...

    def find(self, tokens: Sequence[int]) -> int | None:
        """The number of a key, 0 <= number < len(self); None if it is absent."""
        ...

    def key(self, number: int) -> tuple[int, ...]:
        """The tokens of a key."""
        ...

    def values(self, number: int) -> list[str]:
        """The values of a key."""
        ...

    def __len__(self) -> int:
        """The number of keys."""
        ...
