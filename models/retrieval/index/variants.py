"""Hashes of texts and of texts one error away from them, all of a batch at once.

Two texts differ by one character replaced if they are equal with a wildcard in its place; by one left
out or inserted, or by two neighbours swapped, if they are equal after the repair. A name is therefore
known by its own hash and by those of its wildcards (the positional form of symmetric deletion, Garbe
2012), and all errors of a span of n characters are looked up by 4n + 1 hashes.

With letters c_0 ... c_(n-1) the hash is m(sum_i m(c_i) B^i) modulo 2^64, with m the finaliser of
SplitMix64 (Steele, Lea and Flood, 2014) and B odd: replacing, shifting and swapping letters changes the
sum by a few terms. Equal hashes may still be of different texts, which is for the reader to check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.retrieval.misspelt import MIN_LETTERS

MAX_LETTERS = 40
"""Characters of a name that may be misspelt: each adds to the table."""

_MODULUS = 1 << 64
_BASE = 0x9E3779B97F4A7C15
_WILD = 0x110000
"""The wildcard: the number after the last code point."""


@dataclass(frozen=True, slots=True, eq=False)
class SpanVariants:
    """H hashes to look up for texts."""

    hashes: NDArray[np.uint64]  # (H,)
    owners: NDArray[np.int64]  # (H,) the number of the text
    gained: NDArray[np.int64]  # (H,) characters that a name found has more than the text: -1, 0 or 1
    own: NDArray[np.bool_]  # (H,) whether it is the hash of the text itself


def name_variants(texts: Sequence[str]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The hashes by which names are found, (H,), and the number of the name of each, (H,).

    Names of other than :data:`MIN_LETTERS` to :data:`MAX_LETTERS` characters have no wildcards, and their own
    hash only if a span of a question may be tried that is as long.
    """
    letters = _Letters.of(texts)
    known = np.flatnonzero((letters.lengths >= MIN_LETTERS - 1) & (letters.lengths <= MAX_LETTERS + 1))
    wild = _may_be_misspelt(letters.lengths)[letters.owners]
    sums = np.concatenate([letters.sums[known], letters.replaced()[wild]])
    return _mixed(sums), np.concatenate([known, letters.owners[wild]])


def span_variants(texts: Sequence[str]) -> SpanVariants:
    """The hashes to look up for one or more spans of ``MIN_LETTERS - 1`` to ``MAX_LETTERS + 1`` characters."""
    letters = _Letters.of(texts)
    every, owners, powers = np.arange(len(texts)), letters.owners, letters.powers
    fits = _may_be_misspelt(letters.lengths)[owners]
    wild = powers * _letter(_WILD)
    tails = letters.sums[owners] - letters.before
    second = np.flatnonzero(letters.at > 0)
    change = (letters.codes[second] - letters.codes[second - 1]) * powers[letters.at[second] - 1]
    pieces = (
        (letters.sums, every, 0),
        # one replaced; two neighbours swapped: (c_i - c_(i-1)) (B^(i-1) - B^i) more
        (letters.replaced()[fits], owners[fits], 0),
        (letters.sums[owners[second]] + change * np.uint64((1 - _BASE) % _MODULUS), owners[second], 0),
        # one left out of the span, before each letter and at the end; one too many in it
        (letters.before + wild[letters.at] + tails * np.uint64(_BASE), owners, 1),
        (letters.sums + wild[letters.lengths], every, 1),
        (letters.before + (tails - letters.terms) * np.uint64(pow(_BASE, -1, _MODULUS)), owners, -1),
    )
    sums = np.concatenate([some for some, _, _ in pieces])
    return SpanVariants(
        _mixed(sums),
        np.concatenate([whose for _, whose, _ in pieces]),
        np.repeat([gained for *_, gained in pieces], [len(some) for some, _, _ in pieces]),
        np.arange(len(sums)) < len(texts),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Letters:
    """N letters of T texts, end to end, cut off after the longest that counts."""

    owners: NDArray[np.int64]  # (N,) the number of the text
    at: NDArray[np.int64]  # (N,) place in the text
    codes: NDArray[np.uint64]  # (N,) m of the code point
    terms: NDArray[np.uint64]  # (N,) the same times B^at
    before: NDArray[np.uint64]  # (N,) sum of the terms before it in its text
    sums: NDArray[np.uint64]  # (T,) of all terms
    lengths: NDArray[np.int64]  # (T,) letters
    powers: NDArray[np.uint64]  # B^0, B^1, ...

    @classmethod
    def of(cls, texts: Sequence[str]) -> _Letters:
        cut = [text[: MAX_LETTERS + 2] for text in texts]
        lengths = np.fromiter(map(len, cut), np.int64, len(cut))
        points = np.frombuffer("".join(cut).encode("utf-32-le", "surrogatepass"), np.dtype("<u4"))
        owners = np.repeat(np.arange(len(cut)), lengths)
        starts = np.cumsum(lengths) - lengths
        at = np.arange(len(points)) - starts[owners]
        powers: NDArray[np.uint64] = np.cumprod(np.array([1, *[_BASE] * (MAX_LETTERS + 2)], np.uint64), dtype=np.uint64)
        codes = _mixed(points.astype(np.uint64))
        terms: NDArray[np.uint64] = codes * powers[at]
        running = np.zeros(len(points) + 1, np.uint64)
        np.cumsum(terms, out=running[1:])
        first = running[starts]
        sums = running[starts + lengths] - first
        return cls(owners, at, codes, terms, running[:-1] - first[owners], sums, lengths, powers)

    def replaced(self) -> NDArray[np.uint64]:
        """(N,) sums with a wildcard in the place of each letter."""
        sums: NDArray[np.uint64] = self.sums[self.owners] + self.powers[self.at] * _letter(_WILD) - self.terms
        return sums


def _may_be_misspelt(lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
    return (lengths >= MIN_LETTERS) & (lengths <= MAX_LETTERS)


def _letter(point: int) -> np.uint64:
    return np.uint64(_mixed(np.array([point], np.uint64))[0])


def _mixed(numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """m of each."""
    mixed = numbers + np.uint64(_BASE)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
