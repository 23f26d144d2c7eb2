"""Lexicographic order of token sequences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.ragged import Ragged


def ranks(sequences: Ragged, end: int) -> NDArray[np.int64]:
    """Place of each sequence in lexicographic order, from 0 and without gaps; equal ones share it.

    Sequences are compared as if each were closed by the token ``end``, which none of them holds;
    -1 is below every token.

    Most-significant-first radix refinement: groups of sequences equal so far are told apart by as many
    of their next tokens as fit in 63 bits beside the group's number. A round sorts only what is still
    undecided, so the work is O(n log n) and a few tokens a sequence, not their whole lengths.
    """
    n, lengths = len(sequences), sequences.lengths
    last = max(int(sequences.tokens.max(initial=0)), end) + 1
    bits = last.bit_length()
    several = max(1, (63 - n.bit_length()) // bits)
    place = np.zeros(n, np.int64)
    active = np.arange(n)
    depth = 0
    while len(active):
        code = place[active]
        begin, length = sequences.starts[:-1][active], lengths[active]
        for at in range(depth, depth + several):
            inside = at < length
            token = np.where(at == length, end + 1, 0)
            token[inside] = sequences.tokens[begin[inside] + at].astype(np.int64) + 1
            code = code << bits | token
        order = np.argsort(code)
        code, active, length = code[order], active[order], length[order]
        old = place[active]
        runs = np.flatnonzero(_changes(code))
        groups = np.flatnonzero(_changes(old))
        group_start = np.repeat(groups, np.diff(groups, append=len(old)))
        sizes = np.diff(runs, append=len(code))
        place[active] = np.repeat((old + np.arange(len(old)) - group_start)[runs], sizes)
        depth += several
        # The end lies behind the compared tokens: what still shares a run goes on.
        active = active[np.repeat(sizes > 1, sizes) & (length >= depth)]
    taken = np.zeros(n + 1, np.int64)
    taken[place] = 1
    return (np.cumsum(taken) - 1)[place]


def combine(columns: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    """One number a row that orders rows as their columns do, the first column first. All are >= 0."""
    code = columns[0]
    for column in columns[1:]:
        bits = int(column.max(initial=0)).bit_length()
        if int(code.max(initial=0)).bit_length() + bits > 63:
            code = np.unique(code, return_inverse=True)[1]
        code = code << bits | column
    return code


def _changes(values: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each value differs from the one before it."""
    new = np.ones(len(values), np.bool_)
    np.not_equal(values[1:], values[:-1], out=new[1:])
    return new
