"""Names in their normal form, and how each was first written."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import ne

import numpy as np
from numpy.typing import NDArray

from models.retrieval.index.key_format import split_entity
from models.retrieval.index.tokenizing import Interner
from models.retrieval.index.written import Written
from models.text.normalisation import are_normal_names, normalise_name

AT_ONCE = 512
"""Texts that are looked at together: most are in their normal form already."""


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
        """The number of each name.

        Args:
            forms: their normal forms.
            written: how they are written.
        """
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

    def as_written(self) -> Written:
        """:attr:`written` in arrays."""
        return Written.of(self.written)


def in_one_line(text: str) -> str:
    """A name as it is shown: as it is written, without outer white space or line breaks."""
    return " ".join(text.strip().splitlines())


def normal_forms(texts: Sequence[str]) -> list[str]:
    """The normal form of each name."""
    forms: list[str] = []
    for at in range(0, len(texts), AT_ONCE):
        some = texts[at : at + AT_ONCE]
        forms += some if are_normal_names("\n".join(some), len(some)) else map(normalise_name, some)
    return forms


def halves_of(entities: Sequence[str], forms: Sequence[str]) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """Subject and meaning of entities: of their normal forms, and as they are written.

    Args:
        entities: as they are written.
        forms: their normal forms.
    """
    halves = [split_entity(form) for form in forms]
    written = list(halves)
    for at in compress(range(len(forms)), map(ne, entities, forms)):
        half = split_entity(entities[at].strip())
        # Behind the bracket there may be something that cannot be seen: then the halves are not the same.
        if tuple(normal_forms(half)) == halves[at]:
            written[at] = half
    return halves, written
