"""A language model that reads passages and writes spans of them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import torch
from tokenizers import Tokenizer
from torch import Tensor

from models.language.forward.context_cache import ContextCache
from models.language.scoring.scorer import CausalScorer
from models.retrieval.index.tokenizing import batch_encoder
from models.retrieval.reading.form import Form
from models.retrieval.reading.span_index import SpanIndex
from models.retrieval.reading.spans import Span
from models.retrieval.search.options import Answer, SearchOptions
from models.retrieval.search.search import rounds
from models.retrieval.writers.causal import CausalKeyModel
from models.retrieval.writers.codec import KeyCodec

AT_ONCE = 256
"""Tokens of a passage in one forward, so that other work can go between."""


@dataclass(eq=False)
class Reader:
    """A causal LM that has read worked examples of one form.

    A question to a passage P is read after ``examples P``, and so has the keys and values of these from the first
    question on. The model answers by what it learnt as a language model: no weight is trained for it.
    """

    scorer: CausalScorer
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

    def index(self, passage: str, spans: Iterable[Span]) -> SpanIndex:
        """The index of a passage's spans in the model's tokens."""
        encode, gap = batch_encoder(self.tokenizer), self.form.gap
        return SpanIndex.of(passage, spans, lambda texts: encode([gap + text for text in texts]), self.codec.end)

    def tokens(self, passage: str) -> list[int]:
        """Tokens of a passage as the model reads it, the examples left out."""
        return self._encode(self.form.beginning(passage))

    @property
    def opening(self) -> list[int]:
        """Tokens that are read before any passage."""
        return [self.begin, *self._encode(self.form.opening())]

    def readings(
        self, passage: str, index: SpanIndex, questions: Sequence[str], options: SearchOptions, together: int
    ) -> Iterator[dict[int, Answer]]:
        """The best spans for each question, one forward at a time; see :func:`models.retrieval.search.search.rounds`.

        Args:
            passage: in its normal form.
            index: of its spans.
            questions: about it.
            options: of the search.
            together: questions that share forwards.

        Raises:
            ValueError: a question is too long for the model.
        """
        model = yield from self._read(passage)
        yield from rounds(index, model, questions, options, together)

    def _read(self, passage: str) -> Generator[dict[int, Answer], None, CausalKeyModel]:
        """Read a passage, some tokens a turn."""
        if self._opening is None:
            self._opening = yield from self._continued(self.scorer.forward.empty, self.opening)
        store = yield from self._continued(self._opening, self.tokens(passage))
        return CausalKeyModel(self.scorer, self.codec, before=ContextCache.of(store))

    def _continued(self, store: Tensor, tokens: Sequence[int]) -> Generator[dict[int, Answer], None, Tensor]:
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
