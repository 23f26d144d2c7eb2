"""An answer without any learning, to be printed beside every model's."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import sqrt

from models.retrieval.fact import Fact
from models.retrieval.metrics import lcs, normalised


@dataclass(eq=False)
class Floor:
    """The longest name that stands in the question, then the predicate with the largest LCS / sqrt(length).

    Names and predicates are compared with the question after :func:`models.retrieval.metrics.normalised`;
    of names of one length the first in the question counts, of predicates that are alike as much the
    shortest. LCS is that of :func:`models.retrieval.metrics.lcs`.

    Args:
        facts: the knowledge graph.
    """

    facts: Iterable[Fact]
    _by_name: dict[str, list[Fact]] = field(default_factory=dict, init=False)
    _longest: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        for fact in self.facts:
            name = normalised(fact.name)
            self._by_name.setdefault(name, []).append(fact)
            self._longest = max(self._longest, len(name))

    def answer(self, question: str) -> Fact | None:
        """The fact, or None if no name stands in the question."""
        text = normalised(question)
        for size in range(min(self._longest, len(text)), 0, -1):
            for start in range(len(text) - size + 1):
                found = self._by_name.get(text[start : start + size])
                if found is not None:
                    return max(found, key=lambda fact: likeness(fact.predicate, text))
        return None


def likeness(predicate: str, text: str) -> tuple[float, int]:
    """LCS of a predicate and a normalised question over the square root of its length; ties go to the shorter."""
    written = normalised(predicate)
    return (lcs(written, text) / sqrt(len(written)) if written else 0.0), -len(written)
