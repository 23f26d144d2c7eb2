"""Batched scoring of edited sentences by a causal language model."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.language.fast_modules import quicken
from models.language.foresight import Foresight, look_ahead
from models.language.ragged import NAME, Packing
from models.language.vocabulary import Vocabulary
from samplers.language import Alphabet, RowQuery, RowReply


class UnsupportedModelError(ValueError):
    """The architecture cannot be scored edit by edit; the message says why."""


@dataclass(slots=True, eq=False)
class ScoredSentence:
    """A sentence of n tokens with its score and what rescoring an edit of it needs.

    Attributes:
        tokens: token ids, n of them.
        log_probs: log p(x_i | context, x_<i) over the allowed tokens, in nats, (n,).
        hidden: last hidden states; row i predicts token i, (n, d), on the model's device.
        log_norms: log sum exp of row i's logits over the allowed tokens, (n,).
        store: keys and values of tokens[:-1], (layers, 2, H, n - 1, D), or None when dropped.
    """

    tokens: tuple[int, ...]
    log_probs: npt.NDArray[np.float64]
    hidden: Tensor
    log_norms: Tensor
    store: Tensor | None

    def settle(self) -> None:
        """Give the store memory of its own.

        A store begins as a view of its whole batch's. Most sentences are rejected proposals and
        never edited; one that is must not keep the others' memory alive.
        """
        if self.store is not None and self.store.untyped_storage().nbytes() > 2 * self.store.nbytes:
            self.store = self.store.clone()


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """A text that every sentence of a batch continues.

    Attributes:
        tokens: token ids, begin-of-sequence included, C >= 1 of them.
        store: keys and values, (layers, 2, H, C, D).
        root: the empty sentence: hidden and log_norms hold one row, which predicts token 0.
    """

    tokens: tuple[int, ...]
    store: Tensor
    root: ScoredSentence


@dataclass(slots=True)
class Usage:
    """Work done.

    Attributes:
        lm_calls: forwards through the body.
        lm_tokens: tokens fed to the body.
    """

    lm_calls: int = 0
    lm_tokens: int = 0


@dataclass(frozen=True, slots=True)
class _Item:
    """One sentence to score: what it keeps of its base, and the tokens to feed."""

    tokens: tuple[int, ...]
    base: ScoredSentence
    shared: int
    kept: int

    @property
    def fed(self) -> tuple[int, ...]:
        """Tokens of which keys and values are new; the closing token predicts nothing."""
        return self.tokens[self.kept : -1]


@dataclass(eq=False)
class Head:
    """The output layer over the allowed tokens only.

    Attributes:
        vocabulary: which tokens.
        weight: rows of the output embedding, (V, d).
        linear: computes hidden @ weight.T + bias.
        softcap: logits are softcap * tanh(logits / softcap), if set (Gemma 2).
        foresight: the vocabulary's bigram model, for rows that look ahead; None until it is wanted.
    """

    vocabulary: Vocabulary
    weight: Tensor
    linear: torch.nn.Module
    softcap: float | None
    foresight: Foresight | None = None

    def logits(self, hidden: Tensor) -> Tensor:
        """(N, d) to (N, V), float32."""
        return self._cap(self.linear(hidden))

    def columns(self, hidden: Tensor, local: Tensor) -> Tensor:
        """The columns ``local`` (U,) of :meth:`logits`, (N, d) to (N, U), float32, without the others' cost."""
        bias = getattr(self.linear, "bias", None)
        return self._cap(torch.nn.functional.linear(hidden, self.weight[local], None if bias is None else bias[local]))

    def _cap(self, logits: Tensor) -> Tensor:
        logits = logits.float()
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)


@dataclass(eq=False)
class CausalScorer:
    """Scores sentences with one forward for all their new tokens.

    An edit at position s leaves keys, values and hidden states left of s as they were, so only
    tokens s ... n - 2 are fed, packed without padding (:mod:`models.language.ragged`).

    Attributes:
        model: a transformers causal LM in evaluation mode.
        max_tokens: most new tokens in one forward; larger batches are split.

    Raises:
        UnsupportedModelError: a first short sentence scores otherwise than by the model's own
            forward (recurrent or unusual attention, transformed logits).
    """

    model: Any
    max_tokens: int = 4096
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        self.device = self.model.device
        self.parameters = sum(p.numel() for p in self.model.parameters())
        self._body = self.model.get_decoder()
        self._output = self.model.get_output_embeddings()
        config = self.model.config.get_text_config()
        if getattr(config, "num_attention_heads", None) is None:
            raise UnsupportedModelError(f"{type(self.model).__name__} has no attention heads")
        self._softcap: float | None = getattr(config, "final_logit_softcapping", None)
        heads = config.num_attention_heads
        self._layers: int = config.num_hidden_layers
        self._kv_heads: int = getattr(config, "num_key_value_heads", None) or heads
        self._head_size: int = getattr(config, "head_dim", None) or config.hidden_size // heads
        self._heads: dict[Vocabulary, Head] = {}
        self._lock = threading.Lock()
        probe = (torch.arange(5, 17, device=self.device) % config.vocab_size)[None]
        with torch.inference_mode():
            expected = self.model(input_ids=probe, use_cache=False).logits[0].float()
            try:
                self.model.set_attn_implementation(NAME)
                quicken(self._body)
                # Two sentences side by side, then the rest of one on its kept prefix: a layer that
                # mixes neighbours of the packed row, or ignores the stores, shows here.
                tokens = probe[0].tolist()
                first, kept = self._forward([tokens[6:], tokens[:5]], [(), ()], self._no_context(), [None, None])
                rest, _ = self._forward(
                    [tokens[:3], tokens[5:]], [(), tokens[:5]], self._no_context(), [None, kept[:, :, 1, :, :5]]
                )
                hidden = torch.cat((first[-5:], rest[3:]))
                logits = self._cap(torch.nn.functional.linear(hidden, self._output.weight, self._output.bias))
            except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
                raise UnsupportedModelError(
                    f"{type(self.model).__name__} does not run on transformers' attention interface: {error}"
                ) from error
            # Kullback-Leibler, not the largest gap: rounding alone moves unlikely tokens by 0.01 nats.
            ours, theirs = logits.float().log_softmax(-1), expected.log_softmax(-1)
            divergence = (theirs.exp() * (theirs - ours)).sum(-1).max().item()
            if not divergence <= (1e-5 if self.model.dtype == torch.float32 else 0.02):
                raise UnsupportedModelError(
                    f"{type(self.model).__name__} scores a probe sentence otherwise than its own forward does "
                    f"(Kullback-Leibler divergence {divergence:.3g} nats)"
                )

    def head(self, vocabulary: Vocabulary) -> Head:
        """The output layer over a vocabulary's tokens, made once for each vocabulary."""
        with self._lock:
            if vocabulary not in self._heads:
                ids = torch.from_numpy(vocabulary.ids).to(self.device)
                weight = self._output.weight.detach()[ids].contiguous()
                linear = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=self._output.bias is not None)
                linear.weight = torch.nn.Parameter(weight, requires_grad=False)
                if self._output.bias is not None:
                    linear.bias = torch.nn.Parameter(self._output.bias.detach()[ids], requires_grad=False)
                holder = torch.nn.ModuleList([linear])
                quicken(holder)
                self._heads[vocabulary] = Head(vocabulary, weight, holder[0], self._softcap)
            return self._heads[vocabulary]

    @torch.inference_mode()
    def context(self, tokens: Sequence[int], head: Head) -> Context:
        """Read a context once; sentences scored under it continue it.

        Args:
            tokens: token ids, at least one (begin-of-sequence, where the model has it).
            head: the vocabulary of the sentences; the context itself may hold any token.

        Raises:
            ValueError: no tokens.
        """
        if not tokens:
            raise ValueError("a context needs at least one token")
        hidden, store = self._forward([list(tokens)], [()], self._no_context(), [None])
        last = hidden[-1:]
        root = ScoredSentence((), np.empty(0), last, head.logits(last).logsumexp(-1), store[:, :, 0, :, :0])
        return Context(tuple(tokens), store[:, :, 0].contiguous(), root)

    @torch.inference_mode()
    def score(
        self,
        context: Context,
        head: Head,
        sentences: Sequence[tuple[int, ...]],
        bases: Sequence[ScoredSentence | None],
    ) -> list[ScoredSentence]:
        """Score sentences under one context; see :meth:`samplers.language.LanguageModel.score`.

        Raises:
            ValueError: an empty sentence, or a token outside the vocabulary.
        """
        results: list[ScoredSentence | None] = [None] * len(sentences)
        batch: list[tuple[int, _Item]] = []
        budget = self.max_tokens
        for i, (tokens, base) in enumerate(zip(sentences, bases, strict=True)):
            if not tokens:
                raise ValueError("a sentence needs at least one token")
            if base is not None:
                base.settle()
            item = self._item(tokens, base or context.root)
            if batch and len(item.fed) > budget:
                self._score_batch(context, head, batch, results)
                batch, budget = [], self.max_tokens
            batch.append((i, item))
            budget -= len(item.fed)
        if batch:
            self._score_batch(context, head, batch, results)
        return [result for result in results if result is not None]

    @torch.inference_mode()
    def rows(self, head: Head, scored: Sequence[ScoredSentence], queries: Sequence[RowQuery]) -> list[RowReply]:
        """Answer row queries; see :class:`samplers.language.RowQuery` for the distribution.

        A token is drawn by inverse CDF in float64 from the query's own uniform, so neither the
        device nor the batch has a part in the draw.

        Raises:
            ValueError: a query's ``present`` token is not of its alphabet, its ``following`` token is
                not of the vocabulary, or it looks ahead where there is no foresight: the head has
                none, or the alphabet is not the interior one.
        """
        replies: list[RowReply] = [RowReply()] * len(queries)
        vocabulary = head.vocabulary
        for alphabet, start, size in (
            (Alphabet.INTERIOR, 0, vocabulary.interior),
            (Alphabet.ENDS, vocabulary.interior, vocabulary.ends),
        ):
            chosen = [i for i, query in enumerate(queries) if query.alphabet is alphabet]
            for at in range(0, len(chosen), 256):
                part = chosen[at : at + 256]
                hidden = torch.stack([scored[i].hidden[queries[i].position] for i in part])
                logits = head.logits(hidden)[:, start : start + size]
                logits = look_ahead(head, logits, [queries[i] for i in part])
                self._draw(vocabulary, start, logits, part, queries, replies)
        return replies

    @staticmethod
    def _draw(
        vocabulary: Vocabulary,
        start: int,
        logits: Tensor,
        part: Sequence[int],
        queries: Sequence[RowQuery],
        replies: list[RowReply],
    ) -> None:
        device = logits.device
        epsilon, sharpness = (
            torch.tensor(values, dtype=torch.float64, device=device)[:, None]
            for values in ([queries[i].epsilon for i in part], [queries[i].sharpness for i in part])
        )
        q = (1 - epsilon) * (logits.double() * sharpness).softmax(-1) + epsilon / logits.shape[1]
        cdf = q.cumsum(-1)
        uniform = torch.tensor([queries[i].uniform or 0.0 for i in part], dtype=torch.float64, device=device)
        drawn = torch.searchsorted(cdf, (uniform[:, None] * cdf[:, -1:]), right=True).clamp_(max=q.shape[1] - 1)
        places = [0 if (token := queries[i].present) is None else vocabulary.local.get(token, -1) - start for i in part]
        if not all(0 <= place < q.shape[1] for place in places):
            raise ValueError("a row was asked for the probability of a token outside its alphabet")
        present = torch.tensor(places, device=device)[:, None]
        log_q = torch.cat((q.gather(1, drawn), q.gather(1, present)), 1).log()
        for i, token, (drawn_q, present_q) in zip(part, drawn[:, 0].tolist(), log_q.tolist(), strict=True):
            query = queries[i]
            replies[i] = RowReply(
                None if query.uniform is None else int(vocabulary.ids[start + token]),
                None if query.uniform is None else drawn_q,
                None if query.present is None else present_q,
            )

    @staticmethod
    def _item(tokens: tuple[int, ...], base: ScoredSentence) -> _Item:
        limit = min(len(tokens), max(len(base.tokens), 1)) - 1
        shared = 0
        while shared < limit and tokens[shared] == base.tokens[shared]:
            shared += 1
        return _Item(tokens, base, shared, shared if base.store is not None else 0)

    def _score_batch(
        self,
        context: Context,
        head: Head,
        batch: Sequence[tuple[int, _Item]],
        results: list[ScoredSentence | None],
    ) -> None:
        items = [item for _, item in batch]
        feeding = [item for item in items if item.fed]
        hidden, store = (
            self._forward(
                [list(item.fed) for item in feeding],
                [item.tokens[: item.kept] for item in feeding],
                context.store,
                [item.base.store for item in feeding],
            )
            if feeding
            else (context.root.hidden[:0], context.store[:, :, None, :, :0])
        )
        logits = head.logits(hidden)
        log_norms = logits.logsumexp(-1)
        local = head.vocabulary.local
        try:
            targets = [local[token] for item in feeding for token in item.tokens[item.kept + 1 :]]
            edited = [local[item.tokens[item.shared]] for item in items]
        except KeyError as error:
            raise ValueError(f"token {error.args[0]} is outside the vocabulary {head.vocabulary.name!r}") from None
        index = torch.tensor(targets, dtype=torch.long, device=self.device)
        new = logits.gather(1, index[:, None])[:, 0] - log_norms
        # The first changed token is predicted by a row of the base, whose norm is known.
        rows = torch.stack([item.base.hidden[item.shared] for item in items])
        norms = torch.stack([item.base.log_norms[item.shared] for item in items])
        first = self._single_logits(head, rows, torch.tensor(edited, device=self.device)) - norms
        new_host, first_host = new.double().cpu().numpy(), first.double().cpu().numpy()

        at = 0
        row = 0
        for k, (i, item) in enumerate(batch):
            count = len(item.fed)
            skip = item.shared - item.kept
            fresh = slice(at + skip, at + count)
            results[i] = ScoredSentence(
                item.tokens,
                np.concatenate((item.base.log_probs[: item.shared], first_host[k : k + 1], new_host[fresh])),
                torch.cat((item.base.hidden[: item.shared + 1], hidden[fresh])),
                torch.cat((item.base.log_norms[: item.shared + 1], log_norms[fresh])),
                store[:, :, row, :, : len(item.tokens) - 1] if count else self._kept_store(item),
            )
            at += count
            row += count > 0

    @staticmethod
    def _kept_store(item: _Item) -> Tensor | None:
        return None if item.base.store is None else item.base.store[..., : len(item.tokens) - 1, :]

    def _single_logits(self, head: Head, hidden: Tensor, local: Tensor) -> Tensor:
        logits = (hidden.float() * head.weight[local].float()).sum(-1)
        bias = getattr(head.linear, "bias", None)
        return self._cap(logits if bias is None else logits + bias[local])

    def _cap(self, logits: Tensor) -> Tensor:
        return logits if self._softcap is None else self._softcap * torch.tanh(logits / self._softcap)

    def _no_context(self) -> Tensor:
        shape = (self._layers, 2, self._kv_heads, 0, self._head_size)
        return torch.empty(shape, dtype=self.model.dtype, device=self.device)

    def _forward(
        self,
        fed: Sequence[Sequence[int]],
        kept: Sequence[Sequence[int]],
        context: Tensor,
        stores: Sequence[Tensor | None],
    ) -> tuple[Tensor, Tensor]:
        """Feed the new tokens of B sentences.

        Args:
            fed: new tokens of each, at least one.
            kept: tokens before them, whose keys and values ``stores`` hold.
            context: keys and values of the context, (layers, 2, H, C, D).
            stores: kept keys and values of each, or None where nothing is kept.

        Returns:
            Last hidden states of the new tokens in order, (N, d), and the full keys and values,
            (layers, 2, B, H, L, D).
        """
        counts = [len(tokens) for tokens in fed]
        starts = [len(tokens) for tokens in kept]
        rows = np.repeat(np.arange(len(fed)), counts)
        offsets = np.concatenate([np.arange(count) for count in counts])
        columns = offsets + np.repeat(starts, counts)
        index = torch.from_numpy(np.stack((rows, offsets, columns, np.concatenate(list(map(np.asarray, fed))))))
        index = index.to(self.device)
        length = max(start + count for start, count in zip(starts, counts, strict=True))
        store = context.new_zeros(self._layers, 2, len(fed), self._kv_heads, length, self._head_size)
        for row, (start, old) in enumerate(zip(starts, stores, strict=True)):
            if start and old is not None:
                store[:, :, row, :, :start] = old[..., :start, :]
        packing = Packing(index[0], index[1], index[2], store, context)
        positions = index[2] + context.shape[-2]
        output = self._body(input_ids=index[3][None], position_ids=positions[None], use_cache=False, packing=packing)
        self.usage.lm_calls += 1
        self.usage.lm_tokens += len(rows)
        return output.last_hidden_state[0], store
