"""A language model that reads passages and writes spans of them."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from models.language.forward.context_cache import ContextCache
from models.language.scoring.scorer import CausalScorer
from models.retrieval.index.tokenizing import batch_encoder
from models.retrieval.reading.features import Sight
from models.retrieval.reading.form import Form
from models.retrieval.reading.order import ReadingOrder, sureness
from models.retrieval.reading.span_index import SpanIndex
from models.retrieval.reading.spans import Span, key_text
from models.retrieval.search.options import Answer, Found, SearchOptions
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
    score: float  # log-prob that orders: among the candidates of a fitted order, else among all spans
    renormalised: float  # log-prob among all spans


class Read(NamedTuple):
    """The answer to a question."""

    spans: Sequence[ReadSpan]  # best first
    confidence: float | None  # fitted one in the best; None where no order was
    expansions: int  # see :class:`models.retrieval.search.options.Answer`
    proven: bool


class Judged(NamedTuple):
    """What a beam found for a question, K spans, and what an order looks at."""

    sight: Sight
    answer: Answer
    places: Sequence[Span]  # (K,)
    columns: NDArray[np.float64]  # (K, F) features
    question: NDArray[np.float64]  # (K,) mean log p of the question's tokens given passage and span


@dataclass(eq=False)
class Reader:
    """A causal LM that has read worked examples of one form.

    A question about a passage P is read after ``examples P``, and so has the keys and values of these from the first
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
        order: ReadingOrder | None = None,
    ) -> Iterator[dict[int, Read]]:
        """The best spans for each question about an index's passage, one forward at a time.

        Args:
            index: of the passage's spans.
            questions: about it.
            options: of the search.
            together: questions that share forwards.
            order: for the spans that a beam finds; None for the model's own.

        Yields:
            After each forward the answers that it completed, often none, by the number of their question.

        Raises:
            ValueError: a question is too long for the model.
        """
        if order is None:
            model = yield from self._read(index.passage)
            for done in rounds(index, model, questions, options, together):
                yield {i: _plain(answer, index, self._sight(index, questions[i])) for i, answer in done.items()}
            return
        for judged in self.judged(index, questions, options.beams, together):
            yield {i: _ordered(one, index, order, options.n) for i, one in judged.items()}

    def judged(
        self, index: SpanIndex, questions: Sequence[str], beams: int, together: int
    ) -> Iterator[dict[int, Judged]]:
        """All that a beam holds for each question, with what an order looks at; see :meth:`readings`."""
        model = yield from self._read(index.passage)
        for done in rounds(index, model, questions, SearchOptions(n=beams, beams=beams), together):
            answers: dict[int, Judged] = {}
            for number, answer in done.items():
                yield {}
                sight = self._sight(index, questions[number])
                places = [sight.place(index.occurrences[found.number]) for found in answer.found]
                question = self._asked_back(model, sight.question, [index.passage[a:b] for a, b in places])
                columns = sight.columns(places, [found.renormalised for found in answer.found], question)
                mean = question / max(1, len(self._question(sight.question)))
                answers[number] = Judged(sight, answer, places, columns, mean)
            yield answers

    def _sight(self, index: SpanIndex, question: str) -> Sight:
        return Sight(index.passage, question, self.form.asking)

    def _asked_back(self, model: CausalKeyModel, question: str, texts: Sequence[str]) -> NDArray[np.float64]:
        """log p(question | passage, span) for K spans, (K,), in nats: one forward for all of them."""
        if not texts:
            return np.empty(0)
        form, asked = self.form, self._question(question)
        heads = [self._encode(f"{form.answer}{form.gap}{key_text(text)}\n{form.question}") for text in texts]
        fed = [[*head, *asked] for head in heads]
        with torch.inference_mode():
            hidden, _ = self.scorer.continued(
                [tokens[:-1] for tokens in fed], [None] * len(fed), [self._context(model)] * len(fed)
            )
            ends = np.cumsum([len(tokens) - 1 for tokens in fed])
            rows = torch.cat([hidden[end - len(asked) : end] for end in ends])
            logits = self.scorer.forward.full_output.logits(rows)
            targets = torch.tensor(asked, device=logits.device).repeat(len(fed))
            logs = logits.gather(1, targets[:, None])[:, 0] - logits.logsumexp(-1)
            sums: NDArray[np.float64] = logs.view(len(fed), len(asked)).double().sum(-1).cpu().numpy()
        return sums

    def _question(self, question: str) -> list[int]:
        return self._encode(f"{self.form.gap}{' '.join(question.split())}\n")

    def _context(self, model: CausalKeyModel) -> ContextCache:
        return self.scorer.forward.no_context if model.before is None else model.before

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


def _plain(answer: Answer, index: SpanIndex, sight: Sight) -> Read:
    """What was found in the model's own order."""
    spans = [
        _span(found, sight.place(index.occurrences[found.number]), found.rank_score, index) for found in answer.found
    ]
    return Read(spans, None, answer.expansions, answer.proven)


def _ordered(judged: Judged, index: SpanIndex, order: ReadingOrder, most: int) -> Read:
    """The first ``most`` of what was found in a fitted order."""
    answer = judged.answer
    if not answer.found:
        return Read((), None, answer.expansions, answer.proven)
    ranks = order.ranking.log_probs(judged.columns)
    chosen = np.argsort(-ranks, kind="stable")[:most].tolist()
    spans = [_span(answer.found[i], judged.places[i], float(ranks[i]), index) for i in chosen]
    confidence = order.confidence.of(sureness(judged.sight, judged.columns, ranks, judged.question))
    return Read(spans, float(confidence[0]), answer.expansions, answer.proven)


def _span(found: Found, place: Span, score: float, index: SpanIndex) -> ReadSpan:
    return ReadSpan(place, sorted(index.occurrences[found.number]), score, found.renormalised)
