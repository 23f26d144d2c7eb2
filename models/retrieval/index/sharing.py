"""Equal nodes of a beam, answered once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.nodes import NARROW
from models.retrieval.prefix_index import Allowed


def asked_once(nodes: NDArray[np.int64], answer: Callable[[NDArray[np.int64]], Allowed]) -> Allowed:
    """Ask for each distinct node, if wide ones come again: all hypotheses begin at the root, and its tokens are many.

    Args:
        nodes: of a beam, (B,).
        answer: gives what may follow each of some nodes.
    """
    wide = nodes[nodes < NARROW].tolist()
    if len(set(wide)) == len(wide):
        return answer(nodes)
    distinct, which = np.unique(nodes, return_inverse=True)
    found = answer(distinct)
    return Allowed(found.starts[which], found.stops[which], found.tokens, found.children, found.final[which])
