"""Features of the spans that may answer a question, for a second order and for confidence."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import regex
from numpy.typing import NDArray

from models.retrieval.ranking.logit import MIN_LOG_PROB
from models.retrieval.reading.spans import Span, key_text, sentences_of

FEATURES = (
    "renormalised",
    "question",
    "length",
    "asked",
    "outer",
    "sentence",
    "best_sentence",
    "clause",
    "left",
    "right",
)
"""Names of the columns that :meth:`Sight.columns` gives.

renormalised: log-probability in nats, at least :data:`models.retrieval.ranking.logit.MIN_LOG_PROB`.
question: log p(question | passage, span) less that of the likeliest candidate, at least the same.
length: logarithm of its characters.
asked: share of its units that stand in the question.
outer: whether it begins or ends with a word that asks or only holds a sentence together.
sentence: cover of the question by the sentence around the span, the span left out.
best_sentence: whether no sentence covers more.
clause: cover by the clause around it, the span left out.
left, right: whether nothing or a mark stands beside it there.

Units are words, of scripts that write none apart single characters and pairs; cover is the share of the question's
units, those left out that ask, each by how few sentences of the passage have it.
"""

_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Tibetan}"
_PIECE = regex.compile(rf"(?V1)[{_UNSPACED}]+|[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]+|\p{{S}}+")
_UNSPACED_FIRST = regex.compile(rf"[{_UNSPACED}]")
_CLAUSE = regex.compile(r"[,;，；、：:]")


def units(text: str, ignored: Collection[str] = ()) -> frozenset[str]:
    """Units of a text, in lower case; ``ignored`` words are no units, and part those beside them."""
    text = key_text(text).lower()
    found: set[str] = set()
    for match in _PIECE.finditer(text):
        piece = match[0]
        if _UNSPACED_FIRST.match(piece):
            for word in ignored:
                piece = piece.replace(word, " ")
            for part in piece.split():
                found.update(part)
                found.update(part[at : at + 2] for at in range(len(part) - 1))
        elif piece not in ignored:
            found.add(piece)
    return frozenset(found)


@dataclass(frozen=True, eq=False)
class Sight:
    """A passage and a question side by side."""

    passage: str  # as given
    question: str
    asking: Collection[str]  # words that ask or only hold a sentence together, the longer first
    sentences: list[Span] = field(init=False)
    _units: frozenset[str] = field(init=False)
    _weights: dict[str, float] = field(init=False)

    def __post_init__(self) -> None:
        sentences = sentences_of(self.passage)
        of_each = [units(self.passage[a:b]) for a, b in sentences]
        asked = units(self.question, self.asking)
        weights = {
            unit: math.log1p((1 + len(sentences)) / (1 + sum(unit in held for held in of_each))) for unit in asked
        }
        object.__setattr__(self, "sentences", sentences)
        object.__setattr__(self, "_units", asked)
        object.__setattr__(self, "_weights", weights)

    def cover(self, text: str) -> float:
        """Share of the question's units that a text has, 0 to 1."""
        whole = sum(self._weights.values())
        return sum(self._weights[unit] for unit in self._units & units(text)) / whole if whole else 0.0

    def place(self, occurrences: Sequence[Span]) -> Span:
        """That occurrence of a span whose sentence covers most of the question; the first of several."""
        return max(occurrences, key=lambda span: (self.cover(self._around(span)[0]), -span.start))

    def columns(
        self, spans: Sequence[Span], renormalised: Sequence[float], question: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Features of K candidates, (K, F).

        Args:
            spans: where each stands.
            renormalised: log-probability of each.
            question: log p(question | passage, span), (K,).
        """
        most = max((self.cover(self.passage[a:b]) for a, b in self.sentences), default=0.0)
        asked = units(self.question)
        rows = []
        for span, log_prob, channel in zip(spans, renormalised, question - question.max(initial=-np.inf), strict=True):
            sentence, clause, whole = self._around(span)
            mine = units(self.passage[span.start : span.end])
            covered = self.cover(sentence)
            rows.append(
                (
                    max(log_prob, MIN_LOG_PROB),
                    max(channel, MIN_LOG_PROB),
                    math.log(span.end - span.start),
                    len(mine & asked) / max(1, len(mine)),
                    self._outer(span),
                    covered,
                    self.cover(whole) >= most,
                    self.cover(clause),
                    not self.passage[: span.start].rstrip()[-1:].isalnum(),
                    not self.passage[span.end :].lstrip()[:1].isalnum(),
                )
            )
        return np.array(rows, dtype=np.float64).reshape(len(rows), len(FEATURES))

    def _outer(self, span: Span) -> bool:
        text = key_text(self.passage[span.start : span.end]).lower()
        words = text.split()
        if words[:1] != words[-1:] and {words[0], words[-1]} & set(self.asking):
            return True
        unspaced = [word for word in self.asking if _UNSPACED_FIRST.match(word)]
        return any(text.startswith(word) or text.endswith(word) for word in unspaced)

    def _around(self, span: Span) -> tuple[str, str, str]:
        """The sentence and the clause around a span, the span left out of both; and the sentence with it."""
        start, end = next(((a, b) for a, b in self.sentences if a <= span.start < b), (0, len(self.passage)))
        before, after = self.passage[start : span.start], self.passage[span.end : max(end, span.end)]
        left = _CLAUSE.split(before)[-1]
        right = _CLAUSE.split(after)[0]
        return f"{before} {after}", f"{left} {right}", self.passage[start : max(end, span.end)]
