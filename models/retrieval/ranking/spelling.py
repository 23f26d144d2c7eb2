"""Names of an index that a question misspells by one character."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.variants import MAX_LETTERS, span_variants
from models.retrieval.metrics import normalised
from models.retrieval.misspelt import MIN_LETTERS, one_error

Decode = Callable[[Sequence[int]], str]
"""The text of a token sequence."""


@runtime_checkable
class SpeltNames(Protocol):
    """Index with a spelling table of its names, the first parts of its keys."""

    def spelt(self, hashes: NDArray[np.uint64], decode: Decode) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Hits of hashes of :mod:`models.retrieval.index.variants`: which of them, and a number to ask :meth:`name`."""
        ...

    def name(self, number: int) -> tuple[int, ...] | None:
        """The tokens of a name; None if no key has it any more."""
        ...


@dataclass(frozen=True, slots=True)
class Near:
    """A name one error away from a span of a question."""

    tokens: tuple[int, ...]  # of the name
    text: str  # of the name, normalised
    span: str  # as it stands in the question


def near(index: SpeltNames, decode: Decode, spans: Iterable[str], most: int) -> list[Near]:
    """Names at exactly one error from a span, longest first, each once.

    Errors are those of :func:`models.retrieval.misspelt.one_error`; all texts are normalised first.
    Of names of one length, those of the longest spans come first, then those of the first spans. Left
    out are spans that are names themselves, and names that are among the spans. Names have
    ``MIN_LETTERS`` to ``MAX_LETTERS`` characters.

    The time is that of 4 look-ups a character of the spans, and of decoding the names that are given.
    """
    first: dict[str, str] = {}
    for span in spans:
        first.setdefault(normalised(span), span)
    texts = [text for text in first if MIN_LETTERS - 1 <= len(text) <= MAX_LETTERS + 1]
    if not texts:
        return []
    variants = span_variants(texts)
    which, numbers = index.spelt(variants.hashes, decode)
    owners, own = variants.owners[which], variants.own[which]
    known: dict[int, tuple[tuple[int, ...], str] | None] = {}

    def name(number: int) -> tuple[tuple[int, ...], str] | None:
        if number not in known:
            tokens = index.name(number)
            known[number] = None if tokens is None else (tokens, normalised(decode(tokens)))
        return known[number]

    named = np.zeros(len(texts), np.bool_)
    for at in np.flatnonzero(own).tolist():
        hit = name(int(numbers[at]))
        named[owners[at]] |= hit is not None and hit[1] == texts[owners[at]]
    sizes = np.fromiter(map(len, texts), np.int64, len(texts))[owners]
    order = np.lexsort((owners, -sizes, -(sizes + variants.gained[which])))
    found: dict[tuple[int, ...], Near] = {}
    for at in order[~(own | named[owners])[order]].tolist():
        if len(found) >= most:
            break
        hit, text = name(int(numbers[at])), texts[owners[at]]
        if hit is None or hit[0] in found or hit[1] in first:
            continue
        if MIN_LETTERS <= len(hit[1]) <= MAX_LETTERS and one_error(text, hit[1]):
            found[hit[0]] = Near(*hit, first[text])
    return list(found.values())
