"""Keys whose subject stands in the question, misspelt or not, found without the model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from models.retrieval.metrics import normalised
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.ranking.baseline import likeness
from models.retrieval.ranking.spelling import SpeltNames, near
from models.retrieval.subtree import below, nodes_of
from models.retrieval.writers.codec import KeyCodec

MAX_SPANS = 4000
"""Spans of a question that are looked up: of a long question only short ones."""
LONGEST_NAME = 41
"""Characters of a span."""
MAX_KEYS = 4000
"""Keys of one subject that are compared."""
MAX_MISSPELT = 32
"""Misspelt subjects that are compared: of one length there are many, and their predicates tell the right one."""
MAX_MISSPELT_KEYS = 400
"""Keys of each of these."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A subject that stands in a question, and the candidates that it gives."""

    begun: tuple[int, ...]  # tokens of the subject and the separator after it
    span: str  # as it stands in the question
    misspelt: bool  # by one character
    keys: tuple[tuple[int, ...], ...]  # without end tokens, likeliest predicate first


@dataclass(frozen=True, eq=False)
class Mentions:
    """Candidates that a beam may have lost: a short name is easily taken for the whole of a long one.

    Of the longest subjects that stand in the question as they are written in the index, the
    predicates that are most like the rest of the question (:func:`models.retrieval.ranking.baseline.likeness`).
    The same for the longest subjects that it misspells by one character
    (:func:`models.retrieval.ranking.spelling.near`), if the index has a spelling table, those of one length in
    the order of their best predicate; the rest of the question is then the question without the misspelt name.
    """

    index: PrefixIndex  # of triples, subject first
    codec: KeyCodec
    names: int = 3  # most subjects
    predicates: int = 4  # most predicates of each
    meanings: int = 4  # most meanings of each of these
    misspelt: int = 2  # most subjects that are misspelt

    def of(self, question: str) -> list[Mention]:
        """The subjects that stand in a question, the longest first, misspelt ones last."""
        spans = list(spans_of(question))
        written = [(*self.codec.encode(span), self.codec.separator) for span in spans]
        nodes = nodes_of(self.index, written)
        named = ((span, key, node) for span, key, node in zip(spans, written, nodes, strict=True) if node is not None)
        found: list[Mention] = []
        for span, begun, node in islice(named, self.names):
            (keys,) = below(self.index, [node], MAX_KEYS)
            likely = self._likely(self._predicates(begun, keys, _without(question, span)))
            found.append(Mention(begun, span, False, likely))
        return found + self._misspelt(question, spans)[: self.misspelt]

    def _misspelt(self, question: str, spans: list[str]) -> list[Mention]:
        """The subjects that are misspelt, best first."""
        if not self.misspelt or not isinstance(self.index, SpeltNames):
            return []
        names = near(self.index, self.codec.decode, spans, MAX_MISSPELT)
        begun = [(*name.tokens, self.codec.separator) for name in names]
        nodes = nodes_of(self.index, begun)
        there = [(name, start, node) for name, start, node in zip(names, begun, nodes, strict=True) if node is not None]
        keys = below(self.index, [node for *_, node in there], MAX_MISSPELT_KEYS)
        subjects = [
            (name, start, self._predicates(start, some, _without(question, name.span)))
            for (name, start, _), some in zip(there, keys, strict=True)
        ]
        subjects.sort(key=lambda subject: (len(subject[0].text), subject[2][0].likeness), reverse=True)
        return [Mention(start, name.span, True, self._likely(predicates)) for name, start, predicates in subjects]

    def _predicates(self, begun: tuple[int, ...], keys: list[tuple[int, ...]], rest: str) -> list[_Predicate]:
        """The predicates of a subject, most like the rest of the question first."""
        by_predicate: dict[tuple[int, ...], list[tuple[int, ...]]] = {}
        for key in keys:
            stop = key.index(self.codec.separator) if self.codec.separator in key else len(key)
            by_predicate.setdefault(key[:stop], []).append((*begun, *key))
        texts = [self.codec.decode(tokens) for tokens in by_predicate]
        found = [
            _Predicate(likeness(text, rest), some) for text, some in zip(texts, by_predicate.values(), strict=True)
        ]
        return sorted(found, key=lambda predicate: predicate.likeness, reverse=True)

    def _likely(self, predicates: list[_Predicate]) -> tuple[tuple[int, ...], ...]:
        return tuple(key for one in predicates[: self.predicates] for key in one.keys[: self.meanings])


@dataclass(frozen=True, slots=True)
class _Predicate:
    """A predicate's likeness to the rest of the question, and its keys of one subject."""

    likeness: tuple[float, int]
    keys: list[tuple[int, ...]]


def _without(question: str, span: str) -> str:
    return normalised(question.replace(span, " ", 1))


def spans_of(text: str) -> Iterator[str]:
    """Spans of a text, each once, longest first, that do not cut a run of ASCII letters or digits."""
    cuts = [at for at in range(len(text) + 1) if _is_cut(text, at)]
    longest = min(LONGEST_NAME, max(1, MAX_SPANS // max(1, len(cuts))))
    seen = {text[a:b] for i, a in enumerate(cuts) for b in cuts[i + 1 : i + 1 + longest] if b - a <= LONGEST_NAME}
    yield from sorted((span for span in seen if span == span.strip() != ""), key=lambda span: (-len(span), span))


def place_of(span: str, text: str) -> int:
    """Where one of :func:`spans_of` a text stands first."""
    starts = (at for at in range(len(text)) if text.startswith(span, at))
    return next(at for at in starts if _is_cut(text, at) and _is_cut(text, at + len(span)))


def _is_cut(text: str, at: int) -> bool:
    """Whether a span may begin or end here: not within a run of ASCII letters or digits."""
    return not (0 < at < len(text) and all(each.isascii() and each.isalnum() for each in text[at - 1 : at + 1]))
