"""Walks through an index: to prefixes, and to all keys below them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.retrieval.prefix_index import PrefixIndex


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
            span = allowed.span(place)
            tokens, children = allowed.tokens[span], allowed.children[span]
            for i in members:
                where = int(np.searchsorted(tokens, prefixes[i][depth]))
                if where < len(tokens) and tokens[where] == prefixes[i][depth]:
                    at.setdefault(int(children[where]), []).append(i)
        depth += 1
    return found


def below(index: PrefixIndex, nodes: Sequence[int], most: int) -> list[list[tuple[int, ...]]]:
    """Completions of each node's prefix to keys, in lexicographic order; of more than ``most`` some of the shortest."""
    found: list[list[tuple[int, ...]]] = [[] for _ in nodes]
    front: list[tuple[int, tuple[int, ...], int]] = [(i, (), node) for i, node in enumerate(nodes)]
    while front:
        allowed = index.allowed(np.array([at for *_, at in front], dtype=np.int64))
        longer: list[list[tuple[int, tuple[int, ...], int]]] = [[] for _ in nodes]
        for place, (i, written, _) in enumerate(front):
            if allowed.final[place]:
                found[i].append(written)
            span = allowed.span(place)
            pairs = zip(allowed.tokens[span].tolist(), allowed.children[span].tolist(), strict=True)
            longer[i] += [(i, (*written, token), child) for token, child in pairs]
        front = [one for i, some in enumerate(longer) if len(found[i]) < most for one in some[: 4 * most]]
    return [sorted(some[:most]) for some in found]
