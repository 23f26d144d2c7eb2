"""Compilation: rows to the arrays of an index."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.errors import RetrievalIndexError
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.nodes import MAX_NARROW, Nodes, WideNodes
from models.retrieval.index.ragged import Ragged, starts_of
from models.retrieval.index.sorting import combine, ranks
from models.retrieval.index.spelling_table import DecodeBatch, spelling_of
from models.retrieval.index.table import KeyTable
from models.retrieval.index.values import write_values
from models.retrieval.index.written import Written

_ENTRIES_AT_ONCE = 1 << 20


@dataclass
class Rows:
    """R pairs of key and value, in order of appearance."""

    parts: list[Ragged]  # of each column, as tokens; equal ones, and ones in no row, may occur
    columns: list[NDArray[np.uint32]]  # (R,) for each column the number of the row's part
    value_starts: NDArray[np.int64]  # (R,) where the row's value begins in ``raw``, in bytes
    value_lengths: NDArray[np.int64]  # (R,) its bytes
    raw: Path  # UTF-8 values end to end
    written: list[Written]  # for each column, by the number of the part, its original form

    def keep(self, which: NDArray[np.bool_]) -> None:
        """Leave the other rows out."""
        self.columns = [column[which] for column in self.columns]
        self.value_starts, self.value_lengths = self.value_starts[which], self.value_lengths[which]


@dataclass(frozen=True)
class Counts:
    """Sizes of a compiled index."""

    keys: int  # distinct ones
    values: int  # of all keys together
    duplicates: int  # pairs that came again and were left out
    parts: list[int]  # distinct ones of each column
    wide_nodes: int  # nodes with stored successors


def compile_rows(rows: Rows, key_format: KeyFormat, folder: Path, decode: DecodeBatch | None = None) -> Counts:
    """Write the arrays of an index. Memory: about 80 bytes a row at most, and the tokens of the parts.

    Rows are sorted by the ranks of their parts, stably, so that the values of a key keep their order;
    a key's number is its place. Consumes ``rows``.

    Args:
        rows: all parts that rows name are valid parts of the format.
        key_format: of the separators, which take part in the order.
        folder: gets the files.
        decode: texts of tokens, for a table of misspelt first parts; None for none.

    Raises:
        RetrievalIndexError: more keys, parts or tokens than 32 bits can number.
    """
    ends = [separator[0] for separator in key_format.separators] + [-1]
    lexicons: list[Ragged] = []
    written: list[Written] = []
    ranked: list[NDArray[np.int64]] = []
    for column, end in enumerate(ends):
        lexicon, rank, first = _sorted_parts(rows.parts[column], rows.columns[column], end)
        rows.parts[column] = Ragged.of([])
        lexicons.append(lexicon)
        written.append(_written(rows.written[column], rank, first))
        ranked.append(rank[rows.columns[column]])
        rows.columns[column] = np.empty(0, np.uint32)

    code = combine(ranked)
    order = np.argsort(code, kind="stable")
    code = code[order]
    new = np.ones(len(code), np.bool_)
    new[1:] = code[1:] != code[:-1]
    del code
    first_rows = order[np.flatnonzero(new)]
    keys = len(first_rows)
    if keys >= 1 << 32 or sum(int(lexicon.starts[-1]) for lexicon in lexicons) >= 1 << 32:
        raise RetrievalIndexError("an index holds less than 2**32 keys, and as many tokens of parts: split it")

    sizes = [len(lexicon) for lexicon in lexicons]
    bases = np.cumsum([0, *sizes[1:]], dtype=np.int64)
    bases = np.concatenate([bases[-1:], bases[:-1]])
    cells = np.empty((keys, len(ends) - 1), np.uint32)
    for column in range(1, len(ends)):
        cells[:, column - 1] = ranked[column][first_rows] + bases[column]
    entries = None if len(ends) == 1 else np.searchsorted(ranked[0][first_rows], np.arange(sizes[0] + 1))
    del ranked, first_rows
    flat = Ragged.concatenate([*lexicons[1:], lexicons[0]])
    first_keys = None if entries is None else entries.astype(np.uint32)
    table = KeyTable(key_format, flat.tokens, flat.starts.astype(np.uint32), cells, first_keys, bases)
    wide = _wide_nodes(table)
    table.save(folder)
    wide.save(folder)
    _save_written(written, bases, folder)
    if decode is not None:
        spelling_of(table.column_parts(0), decode).save(folder)
    del table, cells, flat
    values, duplicates = write_values(folder, rows.raw, rows.value_starts[order], rows.value_lengths[order], new)
    return Counts(keys, values, duplicates, sizes, len(wide.final))


def _sorted_parts(
    parts: Ragged, used: NDArray[np.uint32], end: int
) -> tuple[Ragged, NDArray[np.int64], NDArray[np.int64]]:
    """The distinct parts that rows use, sorted; for each part its place among them; for each place its first part."""
    wanted = np.zeros(len(parts), np.bool_)
    wanted[used] = True
    which = np.flatnonzero(wanted)
    rank = np.full(len(parts), -1, np.int64)
    rank[which] = ranks(parts.take(which), end)
    first = np.empty(int(rank[which].max(initial=-1)) + 1, np.int64)
    first[rank[which[::-1]]] = which[::-1]
    return parts.take(first), rank, first


def _written(written: Written, rank: NDArray[np.int64], first: NDArray[np.int64]) -> Written:
    """By the places of the sorted parts; of several parts that are one the first counts."""
    places = rank[written.numbers]
    kept = places >= 0
    kept[kept] = first[places[kept]] == written.numbers[kept]
    return written.renumbered(kept, places)


def _save_written(written: list[Written], bases: NDArray[np.int64], folder: Path) -> None:
    """Under the numbers that parts have in a table, where column 0 comes last."""
    numbered = [replace(one, numbers=one.numbers + np.uint32(base)) for one, base in zip(written, bases, strict=True)]
    Written.concatenate([*numbered[1:], numbered[0]]).save(folder)


def _wide_nodes(table: KeyTable) -> WideNodes:
    """Walk over the nodes of more than :data:`MAX_NARROW` entries, level by level.

    The walk starts from the root, which is stored however few entries it has, and from the first parts
    of many keys: those are wide in keys though narrow in entries.
    """
    first_keys = np.zeros(1, np.int64) if table.entries is None else table.entries.astype(np.int64)
    begins = np.flatnonzero(np.diff(first_keys) > MAX_NARROW)
    zero, one = np.zeros(len(begins) + 1, np.int64), np.ones(len(begins), np.int64)
    level = Nodes(
        np.append(0, one),
        np.append(0, first_keys[begins]),
        np.append(table.keys if table.entries is None else len(first_keys) - 1, first_keys[begins + 1]),
        zero,
    )
    begin_keys = level.first[1:]
    levels, tokens, children, counts, finals = [level], [], [], [], []
    known = len(zero)
    while len(level.first):
        next_level = []
        # One large node at a time, small ones together: what is unpacked at once is bounded.
        for piece in _pieces(level):
            found = table.successors(piece)
            child = found.nodes.pack()
            wide = found.nodes.last - found.nodes.first > MAX_NARROW
            begin = wide & (found.nodes.column == 1) & (found.nodes.depth == 0)
            child[begin] = 1 + np.searchsorted(begin_keys, found.nodes.first[begin])
            wide &= ~begin
            child[wide] = known + np.arange(int(wide.sum()))
            known += int(wide.sum())
            next_level.append(found.nodes.take(wide))
            tokens.append(found.tokens.astype(np.uint32))
            children.append(child)
            counts.append(np.bincount(found.owner, minlength=len(piece.first)))
            finals.append(found.final)
        level = Nodes.concatenate(next_level)
        levels.append(level)
    first, last = table.key_span(Nodes.concatenate(levels))
    return WideNodes(
        starts_of(np.concatenate(counts)),
        np.concatenate(tokens),
        np.concatenate(children),
        np.concatenate(finals),
        first.astype(np.uint32),
        last.astype(np.uint32),
        begin_keys.astype(np.uint32),
    )


def _pieces(level: Nodes) -> list[Nodes]:
    block = np.cumsum(level.last - level.first) // _ENTRIES_AT_ONCE
    cuts = np.flatnonzero(np.diff(block)) + 1
    return [level.take(which) for which in np.split(np.arange(len(block)), cuts)]
