"""Prefix tree of keys, as a constrained search sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Allowed:
    """Next tokens of a beam of B nodes, ragged: node b's lie at :meth:`span` of b; equal nodes may share theirs."""

    starts: NDArray[np.int64]  # (B,) where each node's begin
    stops: NDArray[np.int64]  # (B,) where they end
    tokens: NDArray[np.int64]  # (N,) ascending within a node
    children: NDArray[np.int64]  # (N,) the node that each token leads to
    final: NDArray[np.bool_]  # (B,) whether a key ends at the node

    @classmethod
    def of(
        cls, counts: NDArray[np.int64], tokens: NDArray[np.int64], children: NDArray[np.int64], final: NDArray[np.bool_]
    ) -> Allowed:
        """Successors of nodes that have ``counts`` tokens each, (B,), end to end."""
        stops = np.cumsum(counts, dtype=np.int64)
        return cls(stops - counts, stops, tokens, children, final)

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of tokens of each node, (B,)."""
        return self.stops - self.starts

    def span(self, place: int) -> slice:
        """Slice of the tokens and children of a node, by its place in the beam."""
        return slice(int(self.starts[place]), int(self.stops[place]))


class PrefixIndex(Protocol):
    """A prefix tree of keys, each with values.

    A node stands for a prefix of at least one key, so no node is a dead end: it is final, or has a
    child. The one exception is the root of an index without keys. A key does not include the model's
    end token; the search adds it where a node is final. Nodes are numbers without a meaning of their
    own, and valid for the object that gave them.
    """

    @property
    def root(self) -> int:
        """The node of the empty prefix."""
        ...

    def allowed(self, nodes: NDArray[np.int64]) -> Allowed:
        """Successors of each node of a beam."""
        ...

    def find(self, tokens: Sequence[int]) -> int | None:
        """The number of a key, 0 to ``len(self) - 1``, or None if there is no such key."""
        ...

    def key(self, number: int) -> tuple[int, ...]:
        """The key of a number; IndexError for another number."""
        ...

    def values(self, number: int) -> list[str]:
        """The values of a key, in order of appearance, never none; IndexError for another number."""
        ...

    def __len__(self) -> int:
        """Number of keys."""
        ...
