"""A compiled index with keys added and removed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.additions import NOWHERE, Additions
from models.retrieval.index.compiled import CompiledIndex, asked_once
from models.retrieval.index.spelling_table import GrowingSpellingTable
from models.retrieval.prefix_index import Allowed
from models.retrieval.subtree import nodes_of


class OverlayView:
    """A :class:`PrefixIndex`: a base, less some of its keys, and others besides. Immutable.

    A base key of which the values changed counts as removed and added. Nodes are the base's own where
    no added key shares the prefix, and otherwise ``-1 - place`` in the tree of additions. Since the base
    keys below a node are one range, how many of them are removed takes two binary searches, and a node
    without any left is hidden.

    Keys of the base come first in the numbering, then added ones.

    Args:
        base: the index below.
        additions: tree of added keys.
        top: root of the tree for this view.
        removed: (R,) numbers of hidden base keys, ascending.
        names: of all keys ever added, of this view or not.
        forms: original forms of parts of these, by column and tokens, where they are not the normal ones.
    """

    def __init__(
        self,
        base: CompiledIndex,
        additions: Additions,
        top: int,
        removed: NDArray[np.int64],
        names: GrowingSpellingTable,
        forms: dict[tuple[int, tuple[int, ...]], str],
    ) -> None:
        self.base = base
        self.removed = removed
        self._additions = additions
        self._top = top
        self._names = names
        self.forms = forms
        self._kept = len(base) - len(removed)

    @classmethod
    def of(cls, base: CompiledIndex) -> OverlayView:
        """Nothing added or removed."""
        additions = Additions(base)
        return cls(base, additions, additions.empty, np.empty(0, np.int64), GrowingSpellingTable(), {})

    @property
    def root(self) -> int:
        """The node of the empty prefix."""
        return -1 - self._top if self._additions[self._top].count else self.base.root

    def __len__(self) -> int:
        return self._kept + self._additions[self._top].count

    def allowed(self, nodes: NDArray[np.int64]) -> Allowed:
        """Successors of each node of a beam."""
        return asked_once(np.asarray(nodes, np.int64), self._allowed)

    def _allowed(self, nodes: NDArray[np.int64]) -> Allowed:
        own = nodes < 0
        if not own.any():
            return self._kept_of(nodes)
        added = [self._additions[-1 - node] if node < 0 else None for node in nodes.tolist()]
        below = nodes.copy()
        below[own] = [node.base for node in added if node is not None]
        based = below != NOWHERE
        found = self._kept_of(below[based])
        final = np.zeros(len(nodes), np.bool_)
        final[based] = found.final
        # Python's loop is over the beam, and over successors only where keys were added.
        tokens, children, at = [], [], 0
        for number, node in enumerate(added):
            piece = slice(0, 0)
            if based[number]:
                piece = found.span(at)
                at += 1
            some, lead = found.tokens[piece], found.children[piece]
            if node is not None:
                final[number] |= node.values is not None
                some, lead = _merged(some, lead, node.children)
            tokens.append(some)
            children.append(lead)
        counts = np.fromiter(map(len, tokens), np.int64, len(tokens))
        return Allowed.of(counts, np.concatenate(tokens), np.concatenate(children), final)

    def _kept_of(self, nodes: NDArray[np.int64]) -> Allowed:
        """Successors of base nodes, without those that lead to removed keys only."""
        found = self.base.allowed_apart(nodes)
        if not len(self.removed):
            return found
        first, last = self.base.span(nodes)
        touched = self._gone(first, last) > 0
        if not touched.any():
            return found
        final = found.final.copy()
        final[touched] &= self._gone(first[touched], first[touched] + 1) == 0
        counts = found.counts
        suspects = np.flatnonzero(np.repeat(touched, counts))
        first, last = self.base.span(found.children[suspects])
        keep = np.ones(len(found.tokens), np.bool_)
        keep[suspects] = self._gone(first, last) < last - first
        owner = np.repeat(np.arange(len(nodes)), counts)[keep]
        kept = np.bincount(owner, minlength=len(nodes))
        return Allowed.of(kept, found.tokens[keep], found.children[keep], final)

    def keys_below(self, nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        """(B,) how many keys begin with each node's prefix; the time does not depend on how many there are."""
        own = nodes < 0
        added = [self._additions[-1 - node] for node in nodes[own].tolist()]
        counts = np.zeros(len(nodes), np.int64)
        counts[own] = [node.count for node in added]
        base = nodes.copy()
        base[own] = [node.base for node in added]
        based = base != NOWHERE
        first, last = self.base.span(base[based])
        counts[based] += last - first - self._gone(first, last)
        return counts

    def _gone(self, first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[np.int64]:
        """Number of removed keys in each range."""
        return np.searchsorted(self.removed, last) - np.searchsorted(self.removed, first)

    def find(self, tokens: Sequence[int]) -> int | None:
        """The number of a key, or None; it holds for this view alone."""
        if (found := self._additions.find(self._top, tokens)) is not None:
            return self._kept + found[0]
        number = self.base.find(tokens)
        if number is None:
            return None
        before, after = np.searchsorted(self.removed, [number, number + 1]).tolist()
        return number - before if before == after else None

    def key(self, number: int) -> tuple[int, ...]:
        """The tokens of a key."""
        place = self._place(number)
        return self._additions.at(self._top, place)[0] if number >= self._kept else self.base.key(place)

    def values(self, number: int) -> list[str]:
        """The values of a key, in order of appearance."""
        place = self._place(number)
        return list(self._additions.at(self._top, place)[1]) if number >= self._kept else self.base.values(place)

    def written(self, column: int, part: tuple[int, ...]) -> str | None:
        """The original form of a part of a key; None if that is its normal form."""
        return self.base.written(column, part) or self.forms.get((column, part))

    def _place(self, number: int) -> int:
        """Place among the added keys, or number in the base."""
        if not 0 <= number < len(self):
            raise IndexError(f"there are {len(self)} keys, and no number {number}")
        if number >= self._kept:
            return number - self._kept
        # The i-th removed key has removed[i] - i kept ones before it.
        return number + int(np.searchsorted(self.removed - np.arange(len(self.removed)), number, side="right"))

    def added(self) -> Iterable[tuple[tuple[int, ...], tuple[str, ...]]]:
        """Added and changed keys with their values."""
        return self._additions.items(self._top)

    def with_changes(self, changes: Iterable[tuple[Sequence[int], Sequence[str]]]) -> OverlayView:
        """The view in which these keys have exactly these values; no values, no key."""
        top, hidden = self._top, dict[int, bool]()
        mark = self._additions.mark()
        for key, values in changes:
            number = self.base.find(key)
            if number is not None:
                hidden[number] = list(values) != self.base.values(number)
            plain = not values or (number is not None and not hidden[number])
            if plain and self._additions.find(top, key) is None:
                continue
            top = self._additions.put(top, key, None if plain else tuple(values), mark)
            if not plain and self.base.spelling is not None:
                self._names.add(self.base.key_format.head(key))
        touched = np.array(sorted(hidden), np.int64)
        gone = np.array(sorted(number for number, hide in hidden.items() if hide), np.int64)
        removed = np.union1d(np.setdiff1d(self.removed, touched, assume_unique=True), gone)
        return OverlayView(self.base, self._additions, top, removed, self._names, self.forms)

    def spelt(
        self, hashes: NDArray[np.uint64], decode: Callable[[Sequence[int]], str]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """See :class:`models.retrieval.ranking.spelling.SpeltNames`; nothing if the base was built without a table."""
        if self.base.spelling is None:
            return np.empty(0, np.int64), np.empty(0, np.int64)
        pairs = zip(self.base.spelling.find(hashes), self._names.find(hashes, decode), strict=True)
        (which, more), (numbers, added) = pairs
        return np.concatenate([which, more]), np.concatenate([numbers, added + self.base.table.names])

    def name(self, number: int) -> tuple[int, ...] | None:
        """See :class:`models.retrieval.ranking.spelling.SpeltNames`: names of the base, then those added."""
        added, separators = number - self.base.table.names, self.base.key_format.separators
        if added < 0 and not len(self.removed):
            return self.base.table.name(number)
        name = self._names[added] if added >= 0 else self.base.table.name(number)
        if not separators:
            return None if self.find(name) is None else name
        return None if nodes_of(self, [(*name, *separators[0])]) == [None] else name


def _merged(
    tokens: NDArray[np.int64], children: NDArray[np.int64], added: dict[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Successors in the base and among added keys; an added node stands for both."""
    more = np.array(sorted(added), np.int64)
    lead = np.array([-1 - added[token] for token in more.tolist()], np.int64)
    at = np.searchsorted(tokens, more)
    both = np.zeros(len(more), np.bool_)
    both[at < len(tokens)] = tokens[at[at < len(tokens)]] == more[at < len(tokens)]
    children = children.copy()
    children[at[both]] = lead[both]
    return np.insert(tokens, at[~both], more[~both]), np.insert(children, at[~both], lead[~both])
