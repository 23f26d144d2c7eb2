"""The baseline computed from facts in memory, to compare that of an index with."""

from __future__ import annotations

from collections.abc import Iterable

from models.retrieval.fact import Fact
from models.retrieval.metrics import normalised
from models.retrieval.ranking.baseline import likeness


class FactBaseline:
    """As :class:`models.retrieval.ranking.baseline.Baseline`, but that names are compared without their case."""

    def __init__(self, facts: Iterable[Fact]) -> None:
        self._by_name: dict[str, list[Fact]] = {}
        self._longest = 0
        for fact in facts:
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
