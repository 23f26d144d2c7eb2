"""Scored sentences, with the keys and values that rescoring an edit needs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.language.forward.context_cache import ContextCache


@dataclass(slots=True, eq=False)
class KVCache:
    """Keys and values of a sentence's tokens but the last.

    At first they are a part of the base's and a part of the batch's. Most sentences are rejected
    proposals and never edited; only for one that is are they joined.
    """

    _kept: Tensor | None
    _fresh: Tensor

    def joined(self) -> Tensor:
        """(n - 1, layers, 2, H, D), in memory of its own."""
        if self._kept is not None:
            self._fresh = torch.cat((self._kept, self._fresh))
            self._kept = None
        elif self._fresh.untyped_storage().nbytes() > 2 * self._fresh.nbytes:
            self._fresh = self._fresh.clone()
        return self._fresh


@dataclass(slots=True, eq=False)
class ScoredSentence:
    """A sentence of n tokens with its score.

    Attributes:
        tokens: token ids, n of them.
        log_probs: log p(x_i | context, x_<i) over the allowed tokens, in nats, (n,).
        hidden: last hidden states; row i predicts token i, (n, d), on the model's device.
        log_norms: log sum exp of row i's logits over the allowed tokens, (n,).
        kv: keys and values, or None when dropped.
    """

    tokens: tuple[int, ...]
    log_probs: npt.NDArray[np.float64]
    hidden: Tensor
    log_norms: Tensor
    kv: KVCache | None


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """A text that every sentence of a batch continues.

    Attributes:
        tokens: token ids, begin-of-sequence included, C >= 1 of them.
        kv: their keys and values.
        root: the empty sentence: hidden and log_norms hold one row, which predicts token 0.
    """

    tokens: tuple[int, ...]
    kv: ContextCache
    root: ScoredSentence


@dataclass(slots=True)
class Usage:
    """Work done.

    Attributes:
        lm_calls: forwards through the body.
        lm_tokens: tokens fed to the body.
        scored_tokens: tokens whose log-probability was computed: of an edited sentence those from
            the edit on. The first of them is predicted by a row that is kept, and need not be fed.
    """

    lm_calls: int = 0
    lm_tokens: int = 0
    scored_tokens: int = 0
