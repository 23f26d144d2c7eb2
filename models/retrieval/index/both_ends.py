"""Triples indexed from both ends."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from models.retrieval.index.report import Report
from models.retrieval.index.sources import Batch, Source
from models.text.normalisation import normalise_name

INVERSE = b"^"
"""Begins the name of a relation read from object to subject, as in SPARQL 1.1's property paths."""


@dataclass(frozen=True)
class BothEnds:
    """The triples of a source, each followed by its inverse: (S, P, O) by (O, ^P, S).

    A key is then an entity with a relation in one of its directions, and its values are all entities
    at the other end.
    """

    source: Source

    @property
    def name(self) -> str:
        """Name of the source."""
        return self.source.name

    @property
    def size(self) -> int:
        """Size of the source."""
        return self.source.size

    def batches(self, fields: int, report: Report) -> Iterator[Batch]:
        """As :meth:`Source.batches`; lines are counted once.

        Raises:
            ValueError: the keys are no triples.
        """
        if fields != 2:
            raise ValueError("only triples have two ends")
        for batch in self.source.batches(fields, report):
            subjects, predicates, objects = batch.columns
            inverse = {predicate: _inverse(predicate) for predicate in set(predicates)}
            yield Batch(
                [
                    [entity for pair in zip(subjects, objects, strict=True) for entity in pair],
                    [name for predicate in predicates for name in (predicate, inverse[predicate])],
                    [entity for pair in zip(objects, subjects, strict=True) for entity in pair],
                ],
                [line for line in batch.lines for _ in range(2)],
                batch.done,
            )


def _inverse(predicate: bytes) -> bytes:
    """One that is empty in its normal form stays so."""
    text = predicate.decode()
    return INVERSE + text.strip().encode() if normalise_name(text) else b""
