"""Keys whose subject stands in the question, found without the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from models.retrieval.codec import KeyCodec
from models.retrieval.floor import likeness
from models.retrieval.metrics import normalised
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.subtree import below, nodes_of

MOST_SPANS = 4000
"""Spans of a question that are looked up: of a long question only short ones."""
LONGEST_NAME = 40
"""Characters of a span."""
MOST_KEYS = 4000
"""Keys of one subject that are looked at."""


@dataclass(frozen=True, eq=False)
class Mentions:
    """Candidates that a beam may have lost: a short name is easily taken for the whole of a long one.

    Of the longest subjects that stand in the question as they are written in the index, the
    predicates that are most like the rest of the question (:func:`models.retrieval.floor.likeness`).

    Attributes:
        index: of triples, subject first.
        codec: how keys are written.
        names: most subjects.
        predicates: most predicates of each.
        meanings: most meanings of each of these.
    """

    index: PrefixIndex
    codec: KeyCodec
    names: int = 3
    predicates: int = 4
    meanings: int = 4

    def of(self, question: str) -> list[tuple[int, ...]]:
        """Their keys, without end tokens; of the longest subject first."""
        spans = list(spans_of(question))
        written = [(*self.codec.encode(span), self.codec.separator) for span in spans]
        nodes = nodes_of(self.index, written)
        named = ((span, key, node) for span, key, node in zip(spans, written, nodes, strict=True) if node is not None)
        found: list[tuple[int, ...]] = []
        for span, begun, node in islice(named, self.names):
            found += self._likely(begun, node, normalised(question.replace(span, " ", 1)))
        return found

    def _likely(self, begun: tuple[int, ...], node: int, rest: str) -> Iterator[tuple[int, ...]]:
        by_predicate: dict[str, list[tuple[int, ...]]] = {}
        for key in below(self.index, node, MOST_KEYS):
            predicate = self.codec.parts(key)[0]
            by_predicate.setdefault(predicate, []).append((*begun, *key))
        order = sorted(by_predicate, key=lambda predicate: likeness(predicate, rest), reverse=True)
        for predicate in order[: self.predicates]:
            yield from by_predicate[predicate][: self.meanings]


def spans_of(text: str) -> Iterator[str]:
    """Spans of a text, each once, longest first, that do not cut a run of ASCII letters or digits."""
    cuts = [at for at in range(len(text) + 1) if not (0 < at < len(text) and _joined(text[at - 1], text[at]))]
    longest = min(LONGEST_NAME, max(1, MOST_SPANS // max(1, len(cuts))))
    seen = {text[a:b] for i, a in enumerate(cuts) for b in cuts[i + 1 : i + 1 + longest] if b - a <= LONGEST_NAME}
    yield from sorted((span for span in seen if span == span.strip() != ""), key=lambda span: (-len(span), span))


def _joined(a: str, b: str) -> bool:
    return a.isascii() and a.isalnum() and b.isascii() and b.isalnum()
