"""An encoder-decoder model: T5, mT5, BART and their kin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache
from transformers.modeling_outputs import BaseModelOutput

from models.retrieval.writers.base import Extended, Extension
from models.retrieval.writers.codec import KeyCodec


@dataclass(frozen=True, eq=False)
class EncoderDecoderKeyModel:
    """A transformers model behind :class:`models.retrieval.writers.base.KeyModel`."""

    model: Any  # an AutoModelForSeq2SeqLM in evaluation mode
    codec: KeyCodec
    longest: int = 512  # most tokens of a question

    def read(self, questions: Sequence[str]) -> EncoderDecoderSession:
        """Encode all questions at once; see :meth:`models.retrieval.writers.base.KeyModel.read`."""
        tokens = self.codec.questions(questions, self.longest)
        ids = torch.zeros(len(tokens), max(map(len, tokens)), dtype=torch.int64, device=self.model.device)
        mask = torch.zeros_like(ids)
        for row, one in enumerate(tokens):
            ids[row, : len(one)] = torch.tensor(one)
            mask[row, : len(one)] = 1
        with torch.inference_mode():
            encoded = self.model.get_encoder()(input_ids=ids, attention_mask=mask).last_hidden_state
        return EncoderDecoderSession(self.model, encoded, mask)


@dataclass(frozen=True, slots=True, eq=False)
class _Written:
    """Self-attention's keys and values of k tokens, the start token included: (layers, 2, H, k, D)."""

    store: Tensor


@dataclass(eq=False)
class EncoderDecoderSession:
    """Encoded questions; hypotheses of equal lengths share a forward, so that no position is padded before."""

    model: Any  # the transformers model
    encoded: Tensor  # (Q, S, d) last hidden states of the encoder
    mask: Tensor  # (Q, S) 1 for tokens, 0 for padding
    _cross: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict, init=False)

    @torch.inference_mode()
    def extend(self, extensions: Sequence[Extension], *, raw: bool) -> list[Extended]:
        """See :meth:`models.retrieval.writers.base.Session.extend`."""
        groups: dict[int, list[int]] = {}
        for i, one in enumerate(extensions):
            groups.setdefault(_length(one.state), []).append(i)
        results: dict[int, Extended] = {}
        for kept, group in groups.items():
            answers = self._forward([extensions[i] for i in group], kept, raw)
            results.update(zip(group, answers, strict=True))
        return [results[i] for i in range(len(extensions))]

    def _forward(self, group: Sequence[Extension], kept: int, raw: bool) -> list[Extended]:
        """Feed hypotheses that keep equally many tokens; runs are padded behind, where nothing looks."""
        fed = [one.run if kept else (self.model.config.decoder_start_token_id, *one.run) for one in group]
        tokens = torch.zeros(len(group), max(map(len, fed)), dtype=torch.int64, device=self.encoded.device)
        for row, run in enumerate(fed):
            tokens[row, : len(run)] = torch.tensor(run)
        questions = torch.tensor([one.question for one in group], device=self.encoded.device)
        cache = self._cache(group, questions, kept)
        output = self.model(
            encoder_outputs=BaseModelOutput(last_hidden_state=self.encoded[questions]),
            attention_mask=self.mask[questions],
            decoder_input_ids=tokens,
            past_key_values=cache,
            use_cache=True,
        )
        past = output.past_key_values
        if not self._cross:
            self._keep_cross(past.cross_attention_cache, questions)
        store = torch.stack([torch.stack((layer.keys, layer.values)) for layer in past.self_attention_cache.layers])
        logits = output.logits.double()
        norms = logits.logsumexp(-1) if raw else None
        return [
            self._answer(
                one,
                logits[row, : len(fed[row])],
                None if norms is None else norms[row, : len(fed[row])],
                _Written(store[:, :, row, :, : kept + len(fed[row])].clone()),
            )
            for row, one in enumerate(group)
        ]

    @staticmethod
    def _answer(one: Extension, logits: Tensor, norms: Tensor | None, state: _Written) -> Extended:
        asked = logits[-1, torch.from_numpy(one.asked).to(logits.device)]
        renormalised: NDArray[np.float64] = asked.log_softmax(-1).cpu().numpy()
        if norms is None:
            return Extended(state, renormalised, None, None)
        target = one.run if one.state is None else one.run[1:]
        rows = torch.arange(len(target), device=logits.device)
        found = logits[rows, torch.tensor(target, dtype=torch.int64, device=logits.device)] - norms[: len(target)]
        lost = np.full(len(one.run) - len(target), np.nan)
        written = np.concatenate((lost, found.cpu().numpy()))
        return Extended(state, renormalised, (asked - norms[-1]).cpu().numpy(), written)

    def _cache(self, group: Sequence[Extension], questions: Tensor, kept: int) -> EncoderDecoderCache:
        own, cross = DynamicCache(), DynamicCache()
        if kept:
            stores = torch.stack([one.state.store for one in group if isinstance(one.state, _Written)], 2)
            for layer, (keys, values) in enumerate(stores):
                own.update(keys, values, layer)
        for layer, (keys, values) in self._cross.items():
            cross.update(keys[questions], values[questions], layer)
        return EncoderDecoderCache(own, cross)

    def _keep_cross(self, cache: Any, questions: Tensor) -> None:
        """Keys and values over the encoder are the same for every hypothesis of a question."""
        if set(questions.tolist()) != set(range(len(self.encoded))):
            return
        first = [questions.tolist().index(question) for question in range(len(self.encoded))]
        for number, layer in enumerate(cache.layers):
            self._cross[number] = (layer.keys[first], layer.values[first])


def _length(state: object | None) -> int:
    return state.store.shape[3] if isinstance(state, _Written) else 0
