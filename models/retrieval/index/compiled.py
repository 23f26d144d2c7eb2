"""An index on disk, read by mmap."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.manifest import Manifest
from models.retrieval.index.nodes import MAX_NARROW, NARROW_BIT, Nodes, WideNodes
from models.retrieval.index.ragged import spread, starts_of
from models.retrieval.index.spelling_table import SpellingTable
from models.retrieval.index.table import KeyTable
from models.retrieval.index.values import ValueTable
from models.retrieval.index.written import Written
from models.retrieval.prefix_index import Allowed

_COPY_NODE_BY_NODE = 50
"""Successors a node, on average, from which copying them node by node is faster than all at once."""


class CompiledIndex:
    """A :class:`PrefixIndex` over the arrays of one folder; immutable, safe for threads.

    Keys are numbered in lexicographic order of their tokens, the end before any token; the keys below
    a node are therefore one range of numbers (:meth:`span`).

    Args:
        spelling: of the names, the first parts; None if the index was built without.
        original_forms: by number, how parts were first written where that is not their normal form.
    """

    root = 0

    def __init__(
        self,
        manifest: Manifest,
        table: KeyTable,
        wide: WideNodes,
        value_table: ValueTable,
        spelling: SpellingTable | None,
        original_forms: Written,
    ) -> None:
        self.manifest = manifest
        self.key_format = manifest.key_format
        self.table = table
        self.value_table = value_table
        self.spelling = spelling
        self._wide = wide
        self._original_forms = original_forms

    @classmethod
    def open(cls, folder: Path, *, full: bool = False) -> CompiledIndex:
        """Check and map an index.

        Checksums are computed when a file's size or time of change is another than at the last full
        check on this machine, so usually at the first opening alone.

        Args:
            folder: of the index.
            full: compute the checksums in any case.

        Raises:
            CorruptIndexError: not a whole, undamaged index.
        """
        manifest = Manifest.verify(folder, full=full)
        return cls(
            manifest,
            KeyTable.load(folder, manifest.key_format),
            WideNodes.load(folder),
            ValueTable.load(folder),
            SpellingTable.load(folder),
            Written.load(folder),
        )

    def __len__(self) -> int:
        return self.table.keys

    def allowed(self, nodes: NDArray[np.int64]) -> Allowed:
        """Successors of each node of a beam."""
        return asked_once(np.asarray(nodes, np.int64), self.allowed_apart)

    def allowed_apart(self, nodes: NDArray[np.int64]) -> Allowed:
        """Successors end to end, also of equal nodes: copied for wide ones, grouped from entries for narrow ones."""
        narrow = nodes >= NARROW_BIT
        if narrow.all():
            return self._allowed_narrow(nodes)
        if not narrow.any():
            return self._allowed_wide(nodes)
        both = (
            (np.flatnonzero(~narrow), self._allowed_wide(nodes[~narrow])),
            (np.flatnonzero(narrow), self._allowed_narrow(nodes[narrow])),
        )
        counts = np.empty(len(nodes), np.int64)
        final = np.empty(len(nodes), np.bool_)
        for where, part in both:
            counts[where] = part.counts
            final[where] = part.final
        tokens, children = np.empty((2, int(counts.sum())), np.int64)
        found = Allowed.of(counts, tokens, children, final)
        for where, part in both:
            to = spread(found.starts[where], counts[where])
            tokens[to], children[to] = part.tokens, part.children
        return found

    def _allowed_wide(self, nodes: NDArray[np.int64]) -> Allowed:
        first = self._wide.starts[nodes]
        counts = self._wide.starts[nodes + 1] - first
        offsets = starts_of(counts)
        if offsets[-1] < _COPY_NODE_BY_NODE * len(nodes):
            at = spread(first, counts)
            tokens, children = self._wide.tokens[at].astype(np.int64), self._wide.children[at]
        else:
            # Long runs are copied whole: an index array would be as large as they are.
            tokens, children = np.empty((2, int(offsets[-1])), np.int64)
            ends = zip(first.tolist(), offsets[:-1].tolist(), counts.tolist(), strict=True)
            for start, to, count in ends:
                tokens[to : to + count] = self._wide.tokens[start : start + count]
                children[to : to + count] = self._wide.children[start : start + count]
        return Allowed.of(counts, tokens, children, self._wide.final[nodes])

    def _allowed_narrow(self, nodes: NDArray[np.int64]) -> Allowed:
        found = self.table.successors(Nodes.unpack(nodes))
        children = found.nodes.pack()
        wide = found.nodes.last - found.nodes.first > MAX_NARROW
        if wide.any():
            # A range of few entries is never one of many, but where entries turn from parts to keys.
            children[wide] = 1 + np.searchsorted(self._wide.begin_keys, found.nodes.first[wide])
        return Allowed.of(np.bincount(found.owner, minlength=len(nodes)), found.tokens, children, found.final)

    def span(self, nodes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(B,) first key below each node, and (B,) the key after the last one."""
        nodes = np.asarray(nodes, np.int64)
        first, last = np.empty((2, len(nodes)), np.int64)
        narrow = nodes >= NARROW_BIT
        wide = nodes[~narrow]
        first[~narrow], last[~narrow] = self._wide.first[wide], self._wide.last[wide]
        first[narrow], last[narrow] = self.table.key_span(Nodes.unpack(nodes[narrow]))
        return first, last

    def child(self, node: int, token: int) -> int | None:
        """The node behind a token, or None."""
        found = self.allowed(np.array([node]))
        at = int(np.searchsorted(found.tokens, token))
        return int(found.children[at]) if at < len(found.tokens) and found.tokens[at] == token else None

    def find(self, tokens: Sequence[int]) -> int | None:
        """The number of a key, or None."""
        try:
            parts = self.key_format.split(tokens)
        except ValueError:
            return None
        return self.table.find(parts)

    def key(self, number: int) -> tuple[int, ...]:
        """The tokens of a key."""
        return self.key_format.join(self.table.row(self._checked(number)))

    def values(self, number: int) -> list[str]:
        """The values of a key, in order of appearance."""
        return self.value_table.values(self._checked(number))

    def written(self, column: int, part: tuple[int, ...]) -> str | None:
        """The original form of a part; None if the index lacks it, or that is its normal form."""
        number = self.table.find_part(column, part) if len(self._original_forms) else None
        return None if number is None else self._original_forms.find(number)

    def written_of(self, column: int) -> Written:
        """The original forms of the parts of a column, by their places in it."""
        return self._original_forms.between(*self.table.bounds(column))

    def _checked(self, number: int) -> int:
        if not 0 <= number < len(self):
            raise IndexError(f"there are {len(self)} keys, and no number {number}")
        return number


def asked_once(nodes: NDArray[np.int64], answer: Callable[[NDArray[np.int64]], Allowed]) -> Allowed:
    """Successors of a beam of nodes, (B,), looked up once for equal wide ones.

    All hypotheses begin at the root, and its tokens are many.
    """
    wide = nodes[nodes < NARROW_BIT].tolist()
    if len(set(wide)) == len(wide):
        return answer(nodes)
    distinct, which = np.unique(nodes, return_inverse=True)
    found = answer(distinct)
    return Allowed(found.starts[which], found.stops[which], found.tokens, found.children, found.final[which])
