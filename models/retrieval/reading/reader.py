"""A language model that reads passages and writes spans of them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

import torch
from tokenizers import Tokenizer
from torch import Tensor

from models.language.forward.context_cache import ContextCache
from models.language.scoring.scorer import CausalScorer
from models.retrieval.index.tokenizing import batch_encoder
from models.retrieval.reading.form import Form
from models.retrieval.reading.sight import Sight
from models.retrieval.reading.span_index import SpanIndex
from models.retrieval.reading.spans import Span, key_text
from models.retrieval.search.options import Answer, SearchOptions
from models.retrieval.search.search import rounds
from models.retrieval.writers.causal import CausalKeyModel
from models.retrieval.writers.codec import KeyCodec
from models.text.normalisation import normalise

AT_ONCE = 256
"""Tokens of a passage in one forward, so that other work can go between."""

T = TypeVar("T")
Steps = Generator[dict[int, Any], None, T]
"""Forwards, between which other work can go, that complete no answer."""


class ReadSpan(NamedTuple):
    """A span that answers a question."""

    place: Span  # of its occurrences the one whose sentence has most of the question
    occurrences: Sequence[Span]  # from left to right
    score: float  # log-prob among all answers


class Read(NamedTuple):
    """The answer to a question."""

    spans: Sequence[ReadSpan]  # best first
    expansions: int  # see :class:`models.retrieval.search.options.Answer`
    proven: bool


@dataclass(eq=False)
class Reader:
    """A causal LM that has read worked examples of one form.

    A question about a passage P is read after ``examples P``, and so has the keys and values of these from the first
    question on. Without an adapter the model answers by what it learnt as a language model.
    """

    load: Callable[[], CausalScorer]  # called when it first reads
    tokenizer: Tokenizer
    begin: int  # the token that begins a text
    form: Form
    codec: KeyCodec = field(init=False)
    _opening: Tensor | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        form, written = self.form, self._encode("\n")
        # Without a line break in the vocabulary, the token that no text holds.
        end = written[0] if len(written) == 1 and self._decode(written) == "\n" else self.begin
        before, after = tuple(self._encode(form.question)), tuple(self._encode(f"\n{form.answer}"))
        self.codec = KeyCodec(lambda text: self._encode(form.gap + text), self._decode, end, end, before, after)

    @cached_property
    def scorer(self) -> CausalScorer:
        """Of the model, an adapter merged into it."""
        return self.load()

    def index(self, passage: str, spans: Iterable[Span]) -> SpanIndex:
        """The index of a passage's spans in the model's tokens."""
        encode, form = batch_encoder(self.tokenizer), self.form

        def keys(texts: list[str]) -> Sequence[Sequence[int]]:
            return encode([form.gap + text for text in texts])

        return SpanIndex.of(passage, spans, keys, self.codec.end, form.none)

    def tokens(self, passage: str) -> list[int]:
        """Tokens of a passage as the model reads it, the examples left out."""
        return self._encode(self.form.beginning(normalise(passage)))

    @property
    def opening(self) -> list[int]:
        """Tokens that are read before any passage."""
        return [self.begin, *self._encode(self.form.opening())]

    def readings(
        self,
        index: SpanIndex,
        questions: Sequence[str],
        options: SearchOptions,
        together: int,
    ) -> Iterator[dict[int, Read]]:
        """The best spans for each question about an index's passage, one forward at a time.

        Args:
            index: of the passage's spans.
            questions: about it.
            options: of the search.
            together: questions that share forwards.

        Yields:
            After each forward the answers that it completed, often none, by the number of their question.

        Raises:
            ValueError: a question is too long for the model.
        """
        model = yield from self._read(index.passage)
        # One of them may be that there is no answer.
        most = options.n + (index.none is not None)
        wide = replace(options, n=most, beams=max(options.beams, most))
        for done in rounds(index, model, questions, wide, together):
            sights = {i: self.sight(index.passage, questions[i]) for i in done}
            yield {i: _read(answer, index, sights[i], options.n) for i, answer in done.items()}

    def sight(self, passage: str, question: str) -> Sight:
        """A passage and a question side by side."""
        return Sight(passage, question, self.form)

    def _read(self, passage: str) -> Steps[CausalKeyModel]:
        """Read a passage, some tokens a turn."""
        if self._opening is None:
            self._opening = yield from self._continued(self.scorer.forward.empty, self.opening)
        store = yield from self._continued(self._opening, self.tokens(passage))
        return CausalKeyModel(self.scorer, self.codec, before=ContextCache.of(store))

    def _continued(self, store: Tensor, tokens: Sequence[int]) -> Steps[Tensor]:
        """Keys and values of what was read with more tokens after it, (k, layers, 2, H, D)."""
        for at in range(0, len(tokens), AT_ONCE):
            _, fresh = self.scorer.continued([tokens[at : at + AT_ONCE]], [None], [ContextCache.of(store)])
            store = torch.cat((store, fresh))
            yield {}
        return store

    def _encode(self, text: str) -> list[int]:
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self.tokenizer.decode(list(tokens)))


def _read(answer: Answer, index: SpanIndex, sight: Sight, most: int) -> Read:
    """The first ``most`` spans in the model's own order."""
    spans = [
        _read_span(sight.place(index.occurrences[found.number]), found.number, found.rank_score, index)
        for found in answer.found
        if found.number != index.none
    ]
    return Read(spans[:most], answer.expansions, answer.proven)


def _read_span(place: Span, number: int, score: float, index: SpanIndex) -> ReadSpan:
    """A span with the places of its text: a vocabulary without some characters has one key for several texts."""

    def text(span: Span) -> str:
        return key_text(index.passage[span.start : span.end])

    return ReadSpan(place, sorted(span for span in index.occurrences[number] if text(span) == text(place)), score)
