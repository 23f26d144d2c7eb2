"""Nodes of many entries, whose successors are stored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class WideNodes:
    """W nodes; what follows node w lies at ``starts[w]:starts[w + 1]``. The root is node 0.

    Attributes:
        starts: (W + 1,)
        tokens: (N,) next tokens, ascending within a node.
        children: (N,) the nodes that they lead to.
        final: (W,) whether a key ends at the node.
        first: (W,) first key below the node.
        last: (W,) key after the last one.
        begin_keys: (C,) ascending; first keys of nodes 1 to C, which begin column 1.
    """

    starts: NDArray[np.int64]
    tokens: NDArray[np.uint32]
    children: NDArray[np.int64]
    final: NDArray[np.bool_]
    first: NDArray[np.uint32]
    last: NDArray[np.uint32]
    begin_keys: NDArray[np.uint32]

    @property
    def count(self) -> int:
        """W."""
        return len(self.final)
