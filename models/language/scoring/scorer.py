"""Batched scoring of edited sentences by a causal language model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.language.device import DeviceError, out_of_memory
from models.language.forward import layer
from models.language.forward.arithmetic import Arithmetic
from models.language.forward.checkpoint import Checkpoint
from models.language.forward.context_cache import ContextCache
from models.language.forward.decoder import Decoder
from models.language.forward.masked_output import Head
from models.language.forward.packing import Packing, pack
from models.language.forward.products import Products
from models.language.forward.projection import Projection
from models.language.forward.proposals import draw
from models.language.forward.thread_lanes import Lanes
from models.language.scoring.contexts import Contexts
from models.language.scoring.item import Item
from models.language.scoring.kv_cache import Context, KVCache, ScoredSentence, ScoreWork, Usage
from models.language.vocabulary import Vocabulary
from samplers.language import ProposalQuery, ProposalReply


class UnsupportedModelError(ValueError):
    """The architecture cannot be scored edit by edit; the message says why."""


LEAST = 4
"""Fewest tokens in a forward; a matrix product of fewer rows takes another path and other last bits."""
LANE = 12
"""Fewest tokens for which a lane of its own pays: each lane reads all the weights."""

ROWS = 8
"""Fewest rows likewise."""


@dataclass(eq=False)
class CausalScorer:
    """Scores sentences with one forward for all their new tokens.

    An edit at position s leaves keys, values and hidden states left of s as they were, so only
    tokens s ... n - 2 are fed, packed without padding (:mod:`models.language.forward.packing`). The body is
    :class:`models.language.forward.decoder.Decoder` for the families that it knows, else the model's own
    through transformers' attention interface.

    Attributes:
        model: a transformers causal LM in evaluation mode, which is taken apart; or a
            :class:`models.language.forward.checkpoint.Checkpoint`.
        max_tokens: most new tokens in one forward; larger batches are split.
        max_slots: likewise, places for keys and values, padding counted; tensor operations need the memory.
        usage: work done so far.
        arithmetic: what computes.
        batch_invariant: whether a probe sentence scored alone, among others and from a kept prefix
            has the same score to the last bit.

    Raises:
        UnsupportedModelError: a first short sentence scores otherwise than by the model's own
            forward (recurrent or unusual attention, transformed logits). A checkpoint has none to
            compare with, and is of a family that the tests compare.
        DeviceError: the device cannot run the model.
    """

    model: Any
    max_tokens: int = 4096
    max_slots: int = 4096
    usage: Usage = field(default_factory=Usage)
    batch_invariant: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.device = self.model.device
        direct = isinstance(self.model, Checkpoint)
        self.parameters: int = self.model.parameter_count if direct else sum(p.numel() for p in self.model.parameters())
        body = self.model.get_decoder()
        self._output = self.model.get_output_embeddings()
        config = self.model.config.get_text_config()
        if getattr(config, "num_attention_heads", None) is None:
            raise UnsupportedModelError(f"{type(self.model).__name__} has no attention heads")
        self._softcap: float | None = getattr(config, "final_logit_softcapping", None)
        heads = config.num_attention_heads
        kv_heads = getattr(config, "num_key_value_heads", None) or heads
        size = getattr(config, "head_dim", None) or config.hidden_size // heads
        self._dtype: torch.dtype = self.model.dtype
        # On a CPU attention runs in float32: there the products in bfloat16 cost more than they save.
        precision = torch.float32 if self.device.type == "cpu" else self._dtype
        self._empty = torch.zeros(0, config.num_hidden_layers, 2, kv_heads, size, dtype=precision, device=self.device)
        self._lanes = Lanes(self.device)
        self._scratch = [self._empty] * self._lanes.count
        self._heads: dict[Vocabulary, Head] = {}
        self._contexts = Contexts()
        self._full: Projection | None = None
        probe = [token % config.vocab_size for token in range(5, 17)]
        with torch.inference_mode():
            expected = None if direct else self._own_logits(probe)
            try:
                self._body = self._make_body(body, config)
                hidden = self._probe(probe)
            except DeviceError:
                raise
            except (AttributeError, KeyError, TypeError, ValueError, RuntimeError) as error:
                if isinstance(error, RuntimeError) and (Decoder.knows(config) or out_of_memory(error)):
                    raise self._not_run(error) from error
                raise UnsupportedModelError(
                    f"{type(self.model).__name__} does not run on transformers' attention interface: {error}"
                ) from error
        if expected is not None:
            with torch.inference_mode():
                self._compare(hidden, expected[0])

    def _own_logits(self, tokens: list[int]) -> Tensor:
        """By the model's own forward, (1, N, V)."""
        try:
            logits: Tensor = self.model(torch.tensor([tokens], device=self.device), use_cache=False).logits
        except RuntimeError as error:
            raise self._not_run(error) from error
        return logits

    def _not_run(self, error: RuntimeError) -> DeviceError | UnsupportedModelError:
        what = f"in {str(self._dtype).removeprefix('torch.')} on {self.device}"
        if out_of_memory(error):
            remedy = "free memory, or take a smaller model"
            return DeviceError("CHAINWRIGHT_DEVICE", f"the model has no room {what} ({error})", remedy)
        if self.device.type == "cpu" and self._dtype == torch.float32:
            return UnsupportedModelError(f"{type(self.model).__name__} does not run {what}: {error}")
        remedy = "set CHAINWRIGHT_DEVICE=cpu and CHAINWRIGHT_PRECISION=float32, which run whatever can be run"
        found = f"{type(self.model).__name__} does not run {what} ({error})"
        return DeviceError("CHAINWRIGHT_PRECISION", found, remedy)

    def _compare(self, hidden: Tensor, expected: Tensor) -> None:
        logits = self._capped(functional.linear(hidden, self._output.weight, self._output.bias))
        # Kullback-Leibler, not the largest gap: rounding alone moves unlikely tokens by 0.01 nats.
        ours, theirs = logits.float().log_softmax(-1), expected.float().log_softmax(-1)
        divergence = (theirs.exp() * (theirs - ours)).sum(-1).max().item()
        if not divergence <= (1e-5 if self._dtype == torch.float32 else 0.25):
            raise UnsupportedModelError(
                f"{type(self.model).__name__} scores a probe sentence otherwise than its own forward does "
                f"(Kullback-Leibler divergence {divergence:.3g} nats)"
            )

    def _make_body(self, body: Any, config: Any) -> Callable[[Packing], Tensor]:
        if Decoder.knows(config):
            decoder = Decoder(body)
            self.arithmetic = self._computed(decoder.products, layer.build() if decoder.compiles else None)
            return decoder
        # Imported where it is needed: transformers takes seconds.
        from models.language.forward.hf_attention import NAME

        self.model.set_attn_implementation(NAME)
        self.arithmetic = self._computed(Products("torch", self._dtype), None)

        def forward(packing: Packing) -> Tensor:
            output = body(
                input_ids=packing.tokens[None],
                position_ids=packing.positions[None],
                use_cache=False,
                packing=packing,
            )
            return output.last_hidden_state[0]  # type: ignore[no-any-return]

        return forward

    def _computed(self, products: Products, layers: str | None) -> Arithmetic:
        kind = self.device.type
        return Arithmetic(kind, layer.instructions() if kind == "cpu" else None, layers, str(products))

    def _probe(self, tokens: list[int]) -> Tensor:
        """Last hidden states of a sentence of 12 tokens, read in two parts; sets ``batch_invariant``.

        Two sentences side by side, then the rest of one on its kept prefix: a layer that mixes
        neighbours of the packed row, or ignores the stores, shows here.
        """
        nothing = self.no_context()
        first, kept = self._forward([tokens[6:], tokens[:5]], [None, None], [nothing] * 2, Usage())
        rest, _ = self._forward([tokens[:3], tokens[5:]], [None, kept[6:]], [nothing] * 2, Usage())
        alone, _ = self._forward([tokens], [None], [nothing], Usage())
        hidden = torch.cat((first[-5:], rest[3:]))
        self.batch_invariant = torch.equal(hidden, alone)
        return hidden

    def made(self, vocabulary: Vocabulary) -> Head | None:
        """The output layer over a vocabulary's tokens, if :meth:`head` has made it; from any thread."""
        return self._heads.get(vocabulary)

    def head(self, vocabulary: Vocabulary) -> Head:
        """The output layer over a vocabulary's tokens, made once for each vocabulary."""
        if vocabulary not in self._heads:
            ids = torch.from_numpy(vocabulary.ids).to(self.device)
            weight = self._output.weight.detach()
            bias = None if (whole := self._bias()) is None else whole[ids]
            projection = Projection(weight[ids].to(self._dtype), bias)
            self._heads[vocabulary] = Head(vocabulary, ids, weight, bias, projection, self._softcap)
        return self._heads[vocabulary]

    @torch.inference_mode()
    def context(self, tokens: Sequence[int], head: Head, usage: Usage | None = None) -> Context:
        """Read a context, unless it was read lately; sentences scored under it continue it.

        Args:
            tokens: token ids, at least one (begin-of-sequence, where the model has it).
            head: the vocabulary of the sentences; the context itself may hold any token.
            usage: where the work is booked besides.

        Raises:
            ValueError: no tokens.
        """
        if not tokens:
            raise ValueError("a context needs at least one token")
        key = (head, tuple(tokens))
        if (kept := self._contexts.get(key)) is not None:
            return kept
        done = Usage()
        hidden, store = self._forward([list(tokens)], [None], [self.no_context()], done)
        for booked in (self.usage, usage):
            if booked is not None:
                booked.add(done)
        last = hidden[-1:]
        root = ScoredSentence((), np.empty(0), last, head.logits(last).logsumexp(-1), None)
        context = Context(tuple(tokens), ContextCache.of(store), root)
        self._contexts.put(key, context)
        return context

    def score(
        self,
        context: Context,
        head: Head,
        sentences: Sequence[tuple[int, ...]],
        bases: Sequence[ScoredSentence | None],
    ) -> list[ScoredSentence]:
        """Score sentences under one context; see :meth:`samplers.language.LanguageModel.score`.

        Raises:
            ValueError: see :class:`ScoreWork`.
        """
        return self.score_jobs([ScoreWork(context, head, sentences, bases)])[0]

    @torch.inference_mode()
    def score_jobs(self, jobs: Sequence[ScoreWork]) -> list[list[ScoredSentence]]:
        """Score the sentences of several jobs together."""
        items = [Item.of(number, place, job) for number, job in enumerate(jobs) for place in range(len(job.sentences))]
        bare: dict[tuple[int, tuple[int, ...]], list[ScoredSentence]] = {}
        for item in items:
            if item.base.store is None and item.shared > 0:
                bare.setdefault((item.job, item.base.tokens), []).append(item.base)
        # A base without keys and values is read once beside its edits; the next edits find them.
        reread = [
            Item.whole(number, len(jobs[number].sentences) + k, jobs[number], tokens)
            for k, (number, tokens) in enumerate(bare)
        ]
        items += reread
        for item in items:
            scored = len(item.tokens) - item.shared if item.place < len(jobs[item.job].sentences) else 0
            jobs[item.job].usage.lm_tokens += len(item.fed)
            jobs[item.job].usage.scored_tokens += scored
            self.usage.scored_tokens += scored
        results: dict[tuple[int, int], ScoredSentence] = {}
        batch: list[Item] = []
        fed = longest = 0
        for item in items:
            fed, longest = fed + len(item.fed), max(longest, len(item.tokens))
            if batch and (fed > self.max_tokens or (len(batch) + 1) * longest > self.max_slots):
                self._score_in_lanes(jobs, batch, results)
                batch, fed, longest = [], len(item.fed), len(item.tokens)
            batch.append(item)
        if batch:
            self._score_in_lanes(jobs, batch, results)
        for item, bases in zip(reread, bare.values(), strict=True):
            for base in bases:
                base.store = results[item.job, item.place].store
        return [[results[number, place] for place in range(len(job.sentences))] for number, job in enumerate(jobs)]

    def rows(
        self, head: Head, scored: Sequence[ScoredSentence], queries: Sequence[ProposalQuery]
    ) -> list[ProposalReply]:
        """Answer one row query for each scored sentence given; see :func:`models.language.forward.proposals.draw`.

        Raises:
            ValueError: see there.
        """
        replies: list[list[ProposalReply]] = [[] for _ in range(self._lanes.count)]
        hidden = [one.hidden[query.position] for one, query in zip(scored, queries, strict=True)]

        def work(lane: int, part: slice) -> None:
            with torch.inference_mode():
                replies[lane] = draw(head, hidden[part], queries[part])

        self._lanes.run("rows", work, [1] * len(hidden), ROWS)
        return [reply for part in replies for reply in part]

    @torch.inference_mode()
    def continued(
        self, fed: Sequence[Sequence[int]], kept: Sequence[Tensor | None], contexts: Sequence[ContextCache]
    ) -> tuple[Tensor, Tensor]:
        """Feed the new tokens of B texts, for callers that keep hidden states and stores themselves.

        Args:
            fed: new tokens of each, at least one.
            kept: keys and values of the tokens before them, (k, layers, 2, H, D), or None for none.
            contexts: what each of them continues; equal ones stand together.

        Returns:
            Last hidden states of the new tokens in order, (N, d), and their keys and values,
            (N, layers, 2, H, D).
        """
        results: list[tuple[Tensor, Tensor]] = []
        at = 0
        for stop in self._cuts(fed, kept):
            found: dict[int, tuple[Tensor, Tensor]] = {}
            usages = [Usage() for _ in range(self._lanes.count)]

            def work(lane: int, part: slice, at: int = at, found: Any = found, usages: Any = usages) -> None:
                with torch.inference_mode():
                    rows = slice(at + part.start, at + part.stop)
                    found[lane] = self._forward(fed[rows], kept[rows], contexts[rows], usages[lane], lane)

            self._lanes.run("feed", work, [len(tokens) for tokens in fed[at:stop]], LANE)
            self.usage.lm_calls += 1
            self.usage.lm_tokens += sum(usage.lm_tokens for usage in usages)
            results += [found[lane] for lane in sorted(found)]
            at = stop
        return torch.cat([hidden for hidden, _ in results]), torch.cat([fresh for _, fresh in results])

    def _cuts(self, fed: Sequence[Sequence[int]], kept: Sequence[Tensor | None]) -> Iterator[int]:
        """Where a batch is split to stay below ``max_tokens`` and ``max_slots``."""
        count = longest = first = 0
        for row, (tokens, before) in enumerate(zip(fed, kept, strict=True)):
            length = len(tokens) + (0 if before is None else before.shape[0])
            count, longest = count + len(tokens), max(longest, length)
            if row > first and (count > self.max_tokens or (row + 1 - first) * longest > self.max_slots):
                yield row
                count, longest, first = len(tokens), length, row
        yield len(fed)

    def logits(self, hidden: Tensor) -> Tensor:
        """Logits over the full vocabulary, (N, d) to (N, V), float32."""
        if self._full is None:
            self._full = Projection(self._output.weight.detach().to(self._dtype), self._bias())
        return self._capped(self._full(hidden).float())

    def logits_of(self, hidden: Tensor, tokens: Tensor) -> Tensor:
        """The logit of one token for each row: (N, d) and token ids (N,) to (N,), float32."""
        logits = (hidden.float() * self._output.weight.detach()[tokens].float()).sum(-1)
        bias = self._bias()
        return self._capped(logits if bias is None else logits + bias[tokens].float())

    def no_context(self) -> ContextCache:
        """The context of a text that continues nothing."""
        return ContextCache.of(self._empty)

    def _bias(self) -> Tensor | None:
        return None if self._output.bias is None else self._output.bias.detach()

    def _capped(self, logits: Tensor) -> Tensor:
        return logits if self._softcap is None else self._softcap * torch.tanh(logits / self._softcap)

    def _score_in_lanes(
        self, jobs: Sequence[ScoreWork], batch: Sequence[Item], results: dict[tuple[int, int], ScoredSentence]
    ) -> None:
        for item in batch:
            if item.base.store is not None:
                item.base.store.joined()
        # Equal heads and contexts together, and runs of like length, so that attention pads little.
        order = {key: k for k, key in enumerate(dict.fromkeys((item.head, item.context) for item in batch))}
        batch = sorted(batch, key=lambda item: (order[item.head, item.context], len(item.fed)))
        usages = [Usage() for _ in range(self._lanes.count)]

        def work(lane: int, part: slice) -> None:
            self._score_part(batch[part], results, lane, usages[lane])

        for number in {item.job for item in batch if item.fed}:
            jobs[number].usage.lm_calls += 1
        self._lanes.run("score", work, [len(item.fed) for item in batch], LANE)
        self.usage.lm_tokens += sum(usage.lm_tokens for usage in usages)
        self.usage.lm_calls += any(usage.lm_calls for usage in usages)

    @torch.inference_mode()
    def _score_part(
        self, items: Sequence[Item], results: dict[tuple[int, int], ScoredSentence], lane: int, usage: Usage
    ) -> None:
        feeding = [item for item in items if item.fed]
        hidden, fresh = items[0].context.root.hidden[:0], self._empty
        if feeding:
            kept = [
                item.base.store.joined()[: item.kept] if item.base.store and item.kept else None for item in feeding
            ]
            contexts = [item.context.store for item in feeding]
            hidden, fresh = self._forward([item.fed for item in feeding], kept, contexts, usage, lane)
        at = 0
        for head, group in groupby(items, key=lambda item: item.head):
            of_head = list(group)
            count = sum(len(item.fed) for item in of_head)
            rows = slice(at, at + count)
            for item, scored in zip(of_head, self._scored(head, of_head, hidden[rows], fresh[rows]), strict=True):
                results[item.job, item.place] = scored
            at += count

    def _scored(self, head: Head, items: Sequence[Item], hidden: Tensor, fresh: Tensor) -> Iterator[ScoredSentence]:
        """Put each sentence together from what it keeps of its base and its rows of the forward."""
        log_norms = head.logits(hidden).logsumexp(-1)
        local = head.vocabulary.local
        targets = [local[token] for item in items if item.fed for token in item.tokens[item.kept + 1 :]]
        edited = [local[item.tokens[item.shared]] for item in items]
        # The first changed token is predicted by a row of the base, whose norm is known.
        rows = torch.cat((hidden, torch.stack([item.base.hidden[item.shared] for item in items])))
        norms = torch.cat((log_norms, torch.stack([item.base.log_norms[item.shared] for item in items])))
        logits = head.logits_of(rows, torch.tensor(targets + edited, device=self.device))
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
                self._store(item, fresh[at : at + count]),
            )
            at += count

    @staticmethod
    def _store(item: Item, fresh: Tensor) -> KVCache | None:
        if item.base.store is None:
            return KVCache(None, fresh) if item.kept == 0 and len(fresh) == len(item.tokens) - 1 else None
        return KVCache(item.base.store.joined()[: min(item.kept, len(item.tokens) - 1)], fresh)

    def _forward(
        self,
        fed: Sequence[Sequence[int]],
        kept: Sequence[Tensor | None],
        contexts: Sequence[ContextCache],
        usage: Usage,
        lane: int = 0,
    ) -> tuple[Tensor, Tensor]:
        """Feed the new tokens of B sentences.

        Args:
            fed: new tokens of each, at least one.
            kept: keys and values of the tokens before them, (k, layers, 2, H, D), or None for none.
            contexts: what each of them continues; equal ones stand together.
            usage: where the work is booked.
            lane: whose scratch memory is used.

        Returns:
            Last hidden states of the new tokens in order, (N, d), and their keys and values,
            (N, layers, 2, H, D).
        """
        count = sum(map(len, fed))
        if count < LEAST:
            fed, kept = [*fed, [fed[0][0]] * (LEAST - count)], [*kept, None]
            contexts = [*contexts, contexts[-1]]
        packing = pack(fed, kept, contexts, partial(self._room, lane))
        hidden = self._body(packing)
        usage.lm_calls += 1
        usage.lm_tokens += count
        return hidden[:count], packing.added()[:count]

    def _room(self, lane: int, slots: int) -> Tensor:
        """A lane's scratch memory for keys and values."""
        if len(self._scratch[lane]) < slots:
            self._scratch[lane] = self._empty.new_zeros(slots, *self._empty.shape[1:])
        return self._scratch[lane]
