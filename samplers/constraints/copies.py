"""Runs copied from given texts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from samplers.constraints.base import Constraint
from samplers.spans import Decode, Span, inside, keyword_spans, whole_words
from samplers.state import State


@dataclass(frozen=True, slots=True)
class NoCopies(Constraint):
    """No run of ``run`` units stands in one of the texts too, letter case ignored.

    Units inside a keyword do not count, though a run may go on over them: a context that has the keyword leaves room
    for it, and what it says around it stays its own.

    Attributes:
        texts: not to be copied from.
        units: where the units of a text stand, in order: its words, say.
        run: least number of units that make a copy, >= 1.
        decode: token ids to text.
    """

    judges_labels: ClassVar[bool] = True

    texts: Sequence[str]
    units: Callable[[str], Sequence[Span]]
    run: int
    decode: Decode
    _sources: list[list[str]] = field(init=False, repr=False)
    _places: dict[tuple[str, ...], list[tuple[int, int]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        sources = [self._said(text, self.units(text)) for text in dict.fromkeys(self.texts)]
        places: dict[tuple[str, ...], list[tuple[int, int]]] = {}
        for number, source in enumerate(sources):
            for at in range(len(source) - self.run + 1):
                places.setdefault(tuple(source[at : at + self.run]), []).append((number, at))
        object.__setattr__(self, "_sources", sources)
        object.__setattr__(self, "_places", places)

    def violation(self, state: State, text: str) -> float:
        """How many units begin a copied run."""
        spans = self.units(text)
        said = self._said(text, spans)
        known = [
            (at, places)
            for at in range(len(said) - self.run + 1)
            if (places := self._places.get(tuple(said[at : at + self.run])))
        ]
        if not known:
            return 0
        keywords = keyword_spans(state, self.decode)
        counts = [not inside(keywords, *span) for span in spans]
        return sum(any(self._copied(said[at:], counts[at:], *place) for place in places) for at, places in known)

    def hopeless(self, beginning: State, text: str) -> bool:
        """Whether a copied run is whole; the last word may still grow, unless it is of Han characters."""
        return self.violation(beginning, whole_words(text)) > 0

    def _copied(self, said: Sequence[str], counts: Sequence[bool], number: int, at: int) -> bool:
        copied = 0
        for unit, count, other in zip(said, counts, self._sources[number][at:], strict=False):
            if unit != other:
                return False
            copied += count
            if copied >= self.run:
                return True
        return False

    @staticmethod
    def _said(text: str, spans: Sequence[Span]) -> list[str]:
        return [text[start:stop].lower() for start, stop in spans]
