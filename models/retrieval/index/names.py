"""Names in their normal form and in their original one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import compress
from operator import ne

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.key_format import split_entity
from models.text.normalisation import are_normal_names, normalise_name

TEXTS_AT_ONCE = 512
"""Texts that are looked at together: most are in their normal form already."""


class Interner:
    """Numbers texts, given in UTF-8, in order of first appearance."""

    def __init__(self) -> None:
        self._numbers: defaultdict[bytes, int] = defaultdict()
        self._numbers.default_factory = self._numbers.__len__

    def __len__(self) -> int:
        return len(self._numbers)

    def numbers(self, texts: Sequence[bytes]) -> NDArray[np.uint32]:
        """The number of each text; a new one for a text not seen before."""
        # Sources tend to give the lines of an entity together, and a comparison is cheaper than a look-up.
        new = np.ones(len(texts), np.bool_)
        new[1:] = np.fromiter(map(ne, texts[1:], texts), np.bool_, max(0, len(texts) - 1))
        distinct = list(compress(texts, new.tolist()))
        found = np.fromiter(map(self._numbers.__getitem__, distinct), np.uint32, len(distinct))
        numbers: NDArray[np.uint32] = found[np.cumsum(new) - 1]
        return numbers

    def known(self, text: bytes) -> int | None:
        """The number of a text, or None if it was never numbered."""
        return self._numbers.get(text)

    def texts(self) -> list[str]:
        """All texts by number."""
        return [text.decode() for text in self._numbers]


class Names:
    """Numbers names by their normal form, in order of first appearance.

    Attributes:
        forms: the normal forms.
        written: by number, how a name was written first where that is not its normal form.
    """

    def __init__(self) -> None:
        self.forms = Interner()
        self.written: dict[int, bytes] = {}

    def numbers(self, forms: Sequence[str], written: Sequence[str]) -> NDArray[np.uint32]:
        """The number of each name, given in its normal form and as it is written."""
        before = len(self.forms)
        numbers = self.forms.numbers([form.encode() for form in forms])
        odd = np.flatnonzero(np.fromiter(map(ne, forms, written), np.bool_, len(forms)))
        if len(odd):
            first = np.empty(len(self.forms), np.int64)
            first[numbers[::-1]] = np.arange(len(numbers) - 1, -1, -1)
            new = odd[(numbers[odd] >= before) & (first[numbers[odd]] == odd)]
            for at in new.tolist():
                if (text := in_one_line(written[at])) != forms[at]:
                    self.written[int(numbers[at])] = text.encode()
        return numbers


def in_one_line(text: str) -> str:
    """A name as it is shown: as it is written, without outer white space or line breaks."""
    return " ".join(text.strip().splitlines())


def normal_forms(texts: Sequence[str]) -> list[str]:
    """The normal form of each name."""
    forms: list[str] = []
    for at in range(0, len(texts), TEXTS_AT_ONCE):
        some = texts[at : at + TEXTS_AT_ONCE]
        forms += some if are_normal_names("\n".join(some), len(some)) else map(normalise_name, some)
    return forms


def halves_of(entities: Sequence[str], forms: Sequence[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Subject and meaning of entities: of their normal ``forms``, and as they are written."""
    halves = [split_entity(form) for form in forms]
    written = list(halves)
    for at in compress(range(len(forms)), map(ne, entities, forms)):
        half = split_entity(entities[at].strip())
        # Behind the bracket there may be something that cannot be seen: then the halves are not the same.
        if tuple(normal_forms(half)) == halves[at]:
            written[at] = half
    return halves, written
