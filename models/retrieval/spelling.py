"""Names that a question misspells by one character."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from models.retrieval.metrics import normalised
from models.retrieval.misspelt import SHORTEST, one_error
from models.retrieval.model import KeyModel
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.search.options import Answer, SearchOptions
from models.retrieval.search.search import search

LONGEST = 40
"""Characters of a name likewise: each has as many neighbours as characters."""


@dataclass(frozen=True, eq=False)
class SpellingIndex:
    """Names by what is left of them when a character is taken out (symmetric deletion, Garbe 2012).

    Two texts that differ by one character replaced, inserted or left out, or by two neighbours
    swapped, become equal when at most one character is taken out of each. So every name is kept under
    the hashes of itself and of its deletions: 12 bytes for each character of each name.

    Attributes:
        hashes: ascending, (H,) uint64.
        owners: the number of the name that each belongs to, (H,) uint32.
        name: the text of a name by its number.
    """

    hashes: NDArray[np.uint64]
    owners: NDArray[np.uint32]
    name: Callable[[int], str]

    @classmethod
    def build(cls, names: Iterable[str], name: Callable[[int], str]) -> SpellingIndex:
        """Of names in the order of their numbers."""
        hashes: list[int] = []
        owners: list[int] = []
        for number, text in enumerate(names):
            written = normalised(text)
            if SHORTEST <= len(written) <= LONGEST:
                mine = {_hash(variant) for variant in _deletions(written)}
                hashes += mine
                owners += [number] * len(mine)
        keys = np.array(hashes, dtype=np.uint64)
        order = np.argsort(keys, kind="stable")
        return cls(keys[order], np.array(owners, dtype=np.uint32)[order], name)

    def corrections(self, question: str, most: int) -> list[str]:
        """The question with a span replaced by a name at most one error away, longest names first.

        Spans that are names already are left alone.
        """
        text = normalised(question)
        found: dict[str, int] = {}
        for start in range(len(text)):
            for stop in range(start + SHORTEST - 1, min(len(text), start + LONGEST + 1) + 1):
                span = text[start:stop]
                for name in self._near(span):
                    found.setdefault(text[:start] + name + text[stop:], len(name))
        return sorted((other for other in found if other != text), key=lambda other: -found[other])[:most]

    def _near(self, span: str) -> set[str]:
        wanted = np.array([_hash(variant) for variant in _deletions(span)], dtype=np.uint64)
        starts, stops = (np.searchsorted(self.hashes, wanted, side) for side in ("left", "right"))
        owners = {
            int(owner) for at, stop in zip(starts, stops, strict=True) if stop > at for owner in self.owners[at:stop]
        }
        names = {self.name(owner) for owner in owners}
        if span in map(normalised, names):
            return set()
        return {name for name in names if one_error(span, normalised(name))}


def search_misspelt(
    index: PrefixIndex,
    model: KeyModel,
    questions: Sequence[str],
    options: SearchOptions,
    spelling: SpellingIndex,
    most: int = 4,
) -> list[Answer]:
    """Search; where the name found does not stand in the question, search its corrections too.

    Of a question and its corrections, the one whose best key ranks highest is answered.

    Args:
        spelling: of the names of the index.
        most: corrections that are searched.
    """
    answers = search(index, model, questions, options)
    owners: list[int] = []
    corrected: list[str] = []
    for i, (question, answer) in enumerate(zip(questions, answers, strict=True)):
        name = normalised(model.codec.parts(answer.found[0].tokens)[0]) if answer.found else ""
        if not name or name not in normalised(question):
            others = spelling.corrections(question, most)
            owners += [i] * len(others)
            corrected += others
    for i, other in zip(owners, search(index, model, corrected, options), strict=True):
        if other.found and (not answers[i].found or other.found[0].rank_score > answers[i].found[0].rank_score):
            answers[i] = replace(other, expansions=answers[i].expansions + other.expansions)
    return answers


def _deletions(text: str) -> Iterator[str]:
    yield text
    for at in range(len(text)):
        yield text[:at] + text[at + 1 :]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
