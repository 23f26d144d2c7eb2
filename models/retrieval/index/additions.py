"""A prefix tree of added keys that grows without changing what readers hold."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

NOWHERE = -1
"""No node of the base."""


class Base(Protocol):
    """Index below the tree."""

    root: int

    def child(self, node: int, token: int) -> int | None:
        """The node behind a token, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Node:
    """A prefix of added keys."""

    base: int  # the base's node of the same prefix, or NOWHERE
    children: dict[int, int]  # by next token, places in the tree's list
    count: int = 0  # added keys below
    values: tuple[str, ...] | None = None  # of the key that ends here, if one does


class Additions:
    """Persistent tree: a change copies the nodes of its path and gives a new root; old roots stay valid.

    Nodes that no root reaches any more stay in memory until the tree is left for a merged index.
    """

    def __init__(self, base: Base) -> None:
        self._base = base
        self._nodes = [Node(base.root, {})]

    @property
    def empty(self) -> int:
        """The root of no keys."""
        return 0

    def __getitem__(self, place: int) -> Node:
        return self._nodes[place]

    def mark(self) -> int:
        """A mark for :meth:`put`, which may then change the nodes stored from now on."""
        return len(self._nodes)

    def put(self, root: int, key: Sequence[int], values: tuple[str, ...] | None, mark: int) -> int:
        """The root of the tree in which a key has these values, or is not there for None.

        Nodes stored since the mark are known to no reader, and changed in place: many puts with one mark take
        time proportional to their keys, not to the tree.
        """
        path, places = [self._nodes[root]], [root]
        for token in key:
            last = path[-1]
            place = last.children.get(token)
            if place is None:
                base = None if last.base == NOWHERE else self._base.child(last.base, token)
                path.append(Node(NOWHERE if base is None else base, {}))
            else:
                path.append(self._nodes[place])
            places.append(-1 if place is None else place)
        changed = (values is not None) - (path[-1].values is not None)
        ended = path[-1]
        # A dictionary of an older node belongs to readers, also where the key only ends: longer keys may follow.
        children = ended.children if places[-1] >= mark else dict(ended.children)
        node = replace(ended, children=children, values=values, count=ended.count + changed)
        for depth in range(len(key) - 1, -1, -1):
            parent = path[depth]
            children = parent.children if places[depth] >= mark else dict(parent.children)
            if node.count:
                children[key[depth]] = self._store(node, places[depth + 1], mark)
            else:
                children.pop(key[depth], None)
            node = replace(parent, children=children, count=parent.count + changed)
        return self._store(node, root, mark)

    def _store(self, node: Node, place: int, mark: int) -> int:
        if place >= mark:
            self._nodes[place] = node
            return place
        self._nodes.append(node)
        return len(self._nodes) - 1

    def find(self, root: int, key: Sequence[int]) -> tuple[int, tuple[str, ...]] | None:
        """Place of a key among the keys in lexicographic order, and its values."""
        node, rank = self._nodes[root], 0
        for token in key:
            if token not in node.children:
                return None
            rank += node.values is not None
            rank += sum(self._nodes[place].count for other, place in node.children.items() if other < token)
            node = self._nodes[node.children[token]]
        return None if node.values is None else (rank, node.values)

    def at(self, root: int, rank: int) -> tuple[tuple[int, ...], tuple[str, ...]]:
        """The key of a place, and its values."""
        node = self._nodes[root]
        key: list[int] = []
        while True:
            if node.values is not None:
                if not rank:
                    return tuple(key), node.values
                rank -= 1
            for token in sorted(node.children):
                child = self._nodes[node.children[token]]
                if rank < child.count:
                    break
                rank -= child.count
            key.append(token)
            node = child

    def items(self, root: int) -> Iterator[tuple[tuple[int, ...], tuple[str, ...]]]:
        """All keys and their values, in lexicographic order."""
        waiting: list[tuple[tuple[int, ...], int]] = [((), root)]
        while waiting:
            key, place = waiting.pop()
            node = self._nodes[place]
            if node.values is not None:
                yield key, node.values
            waiting += [((*key, token), node.children[token]) for token in sorted(node.children, reverse=True)]
