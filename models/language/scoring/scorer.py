"""Batched scoring of edited sentences by a causal language model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.language.forward.context_cache import ContextCache
from models.language.forward.forward import Forward
from models.language.forward.masked_output import MaskedOutput
from models.language.scoring.item import Item
from models.language.scoring.kv_cache import Context, KVCache, ScoredSentence, Usage
from models.language.scoring.work import Scores

MAX_CONTEXT_TOKENS = 2048
"""Tokens of all contexts that are kept together; a longer one is not kept."""


class CausalScorer:
    """Scores sentences with one forward for all their new tokens.

    An edit at position s leaves keys, values and hidden states left of s as they were, so only
    tokens s ... n - 2 are fed.

    Args:
        model: see :class:`models.language.forward.forward.Forward`.
        max_tokens: most new tokens in one forward; larger batches are split.
        max_slots: most places for keys and values, padding counted; tensor operations need the memory.
        alike: a scorer of a model with the same embeddings, with which output layers are shared.

    Attributes:
        forward: of the model.
        usage: work done so far.

    Raises:
        UnsupportedModelError, DeviceError: see :class:`models.language.forward.forward.Forward`.
    """

    def __init__(
        self, model: Any, max_tokens: int = 4096, max_slots: int = 4096, alike: CausalScorer | None = None
    ) -> None:
        self.forward: Forward = Forward(model, None if alike is None else alike.forward)
        self.usage = Usage()
        self._max_tokens, self._max_slots = max_tokens, max_slots
        # Requests that share a context share its keys and values: their sentences attend to it in one product.
        self._contexts: dict[tuple[MaskedOutput, tuple[int, ...]], Context] = {}  # the least recently used first

    @torch.inference_mode()
    def context(self, tokens: Sequence[int], output: MaskedOutput, usage: Usage | None = None) -> Context:
        """Read a context, unless it was read lately; sentences scored under it continue it.

        Args:
            tokens: token ids, at least one (begin-of-sequence, where the model has it).
            output: the vocabulary of the sentences; the context itself may hold any token.
            usage: where the work is booked besides.

        Raises:
            ValueError: no tokens.
        """
        if not tokens:
            raise ValueError("a context needs at least one token")
        key = (output, tuple(tokens))
        context = self._contexts.pop(key, None)
        if context is None:
            hidden, fresh = self.forward([tokens], [None], [self.forward.no_context])
            for booked in (self.usage, usage or Usage()):
                booked.lm_calls += 1
                booked.lm_tokens += len(tokens)
            last = hidden[-1:]
            root = ScoredSentence((), np.empty(0), last, output.log_norms(last), None)
            context = Context(key[1], ContextCache.of(fresh), root)
        if len(tokens) <= MAX_CONTEXT_TOKENS:
            self._contexts[key] = context
        while sum(len(kept.tokens) for kept in self._contexts.values()) > MAX_CONTEXT_TOKENS:
            del self._contexts[next(iter(self._contexts))]
        return context

    def score(
        self,
        context: Context,
        output: MaskedOutput,
        sentences: Sequence[tuple[int, ...]],
        bases: Sequence[ScoredSentence | None],
    ) -> list[ScoredSentence]:
        """Score sentences under one context; see :meth:`samplers.language.LanguageModel.score`.

        Raises:
            ValueError: see :class:`models.language.scoring.work.Scores`.
        """
        return self.score_together([Scores(self, context, output, sentences, bases)])[0]

    @torch.inference_mode()
    def score_together(self, works: Sequence[Scores]) -> list[list[ScoredSentence]]:
        """Score the sentences of several requests together."""
        wanted = [[Item.of(work, place) for place in range(len(work.sentences))] for work in works]
        items = [item for of_work in wanted for item in of_work]
        for item in items:
            for usage in (item.work.usage, self.usage):
                usage.scored_tokens += len(item.tokens) - item.shared
        # A base without keys and values is read once beside its edits; the next edits find them.
        bare: dict[tuple[Scores, tuple[int, ...]], list[ScoredSentence]] = {}
        for item in items:
            if item.base.kv is None and item.shared > 0:
                bare.setdefault((item.work, item.base.tokens), []).append(item.base)
        reread = [Item(work, tokens, work.context.root) for work, tokens in bare]
        items += reread
        results: dict[Item, ScoredSentence] = {}
        for part in self._parts([len(item.fed) for item in items], [len(item.tokens) for item in items]):
            self._score_part(items[part], results)
        for item, bases in zip(reread, bare.values(), strict=True):
            for base in bases:
                base.kv = results[item].kv
        return [[results[item] for item in of_work] for of_work in wanted]

    @torch.inference_mode()
    def continued(
        self, fed: Sequence[Sequence[int]], kept: Sequence[Tensor | None], contexts: Sequence[ContextCache]
    ) -> tuple[Tensor, Tensor]:
        """Feed the new tokens of texts, for callers that keep hidden states, keys and values themselves.

        Args and result as :meth:`models.language.forward.forward.Forward.__call__`.
        """
        results: list[tuple[Tensor, Tensor]] = []
        lengths = [len(tokens) + (0 if one is None else len(one)) for tokens, one in zip(fed, kept, strict=True)]
        for part in self._parts(list(map(len, fed)), lengths):
            results.append(self.forward(fed[part], kept[part], contexts[part]))
            self.usage.lm_calls += 1
            self.usage.lm_tokens += len(results[-1][0])
        return torch.cat([hidden for hidden, _ in results]), torch.cat([fresh for _, fresh in results])

    def _parts(self, fed: Sequence[int], lengths: Sequence[int]) -> Iterator[slice]:
        """Parts of a batch that stay below ``max_tokens`` and ``max_slots``."""
        count = longest = first = 0
        for row, (new, length) in enumerate(zip(fed, lengths, strict=True)):
            count, longest = count + new, max(longest, length)
            if row > first and (count > self._max_tokens or (row + 1 - first) * longest > self._max_slots):
                yield slice(first, row)
                count, longest, first = new, length, row
        if fed:
            yield slice(first, len(fed))

    def _score_part(self, items: Sequence[Item], results: dict[Item, ScoredSentence]) -> None:
        # Equal vocabularies and contexts together, and runs of like length, so that attention pads little.
        keys = [(item.work.output, item.work.context) for item in items]
        order = {key: k for k, key in enumerate(dict.fromkeys(keys))}
        items = sorted(items, key=lambda item: (order[item.work.output, item.work.context], len(item.fed)))
        feeding = [item for item in items if item.fed]
        hidden, fresh = items[0].work.context.root.hidden[:0], self.forward.empty
        if feeding:
            kept = [item.base.kv.joined()[: item.kept] if item.base.kv and item.kept else None for item in feeding]
            contexts = [item.work.context.kv for item in feeding]
            hidden, fresh = self.forward([item.fed for item in feeding], kept, contexts)
            # Works of one request may share their usage, which counts the forward once.
            for usage in {id(usage): usage for usage in (self.usage, *(item.work.usage for item in feeding))}.values():
                usage.lm_calls += 1
            for item in feeding:
                for usage in (self.usage, item.work.usage):
                    usage.lm_tokens += len(item.fed)
        at = 0
        for output, group in groupby(items, key=lambda item: item.work.output):
            of_output = list(group)
            rows = slice(at, at + sum(len(item.fed) for item in of_output))
            results.update(zip(of_output, self._scored(output, of_output, hidden[rows], fresh[rows]), strict=True))
            at = rows.stop

    def _scored(
        self, output: MaskedOutput, items: Sequence[Item], hidden: Tensor, fresh: Tensor
    ) -> Iterator[ScoredSentence]:
        """Put each sentence together from the rows that it keeps of its base and those of the forward."""
        log_norms = output.log_norms(hidden)
        local = output.vocabulary.local
        targets = [local[token] for item in items if item.fed for token in item.tokens[item.kept + 1 :]]
        edited = [local[item.tokens[item.shared]] for item in items]
        # The first changed token is predicted by a row of the base, whose norm is known.
        rows = torch.cat((hidden, torch.stack([item.base.hidden[item.shared] for item in items])))
        norms = torch.cat((log_norms, torch.stack([item.base.log_norms[item.shared] for item in items])))
        logits = output.logits_of(rows, torch.tensor(targets + edited, device=rows.device))
        log_probs = (logits - norms).cpu().double().numpy()
        at = 0
        for item, first in zip(items, log_probs[len(targets) :, None], strict=True):
            count = len(item.fed)
            new = slice(at + item.shared - item.kept, at + count)
            yield ScoredSentence(
                item.tokens,
                np.concatenate((item.base.log_probs[: item.shared], first, log_probs[new])),
                torch.cat((item.base.hidden[: item.shared + 1], hidden[new])),
                torch.cat((item.base.log_norms[: item.shared + 1], log_norms[new])),
                _kv(item, fresh[at : at + count]),
            )
            at += count


def _kv(item: Item, fresh: Tensor) -> KVCache | None:
    if item.base.kv is None:
        return KVCache(None, fresh) if item.kept == 0 and len(fresh) == len(item.tokens) - 1 else None
    return KVCache(item.base.kv.joined()[: min(item.kept, len(item.tokens) - 1)], fresh)
