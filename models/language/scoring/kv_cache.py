"""What scoring takes and gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.language.forward.context_cache import ContextCache
from models.language.forward.masked_output import Head


@dataclass(slots=True, eq=False)
class KVCache:
    """Keys and values of a sentence's tokens but the last.

    At first they are a part of what the sentence was edited from and a part of its batch's. Most
    sentences are rejected proposals and never edited; only for one that is are they joined.
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
    """A sentence of n tokens with its score and what rescoring an edit of it needs.

    Attributes:
        tokens: token ids, n of them.
        log_probs: log p(x_i | context, x_<i) over the allowed tokens, in nats, (n,).
        hidden: last hidden states; row i predicts token i, (n, d), on the model's device.
        log_norms: log sum exp of row i's logits over the allowed tokens, (n,).
        store: keys and values, or None when dropped.
    """

    tokens: tuple[int, ...]
    log_probs: npt.NDArray[np.float64]
    hidden: Tensor
    log_norms: Tensor
    store: KVCache | None

    def without_store(self) -> ScoredSentence:
        """The same, to be remembered: keys and values take as much as all else many times over."""
        return replace(self, store=None)


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """A text that every sentence of a batch continues.

    Attributes:
        tokens: token ids, begin-of-sequence included, C >= 1 of them.
        store: their keys and values.
        root: the empty sentence: hidden and log_norms hold one row, which predicts token 0.
    """

    tokens: tuple[int, ...]
    store: ContextCache
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

    def add(self, other: Usage) -> None:
        """Book another's work here too."""
        self.lm_calls += other.lm_calls
        self.lm_tokens += other.lm_tokens
        self.scored_tokens += other.scored_tokens


@dataclass(frozen=True, slots=True, eq=False)
class ScoreWork:
    """Sentences to score under one context; jobs of many requests share a forward.

    Attributes:
        context: what every sentence continues.
        head: the vocabulary.
        sentences: token ids of each.
        bases: for each a scored sentence that it edits, under the same context and head, or None.
        usage: where the work is booked; a forward counts for every job that had a part in it.

    Raises:
        ValueError: an empty sentence, a token outside the vocabulary, or counts that differ.
    """

    context: Context
    head: Head
    sentences: Sequence[tuple[int, ...]]
    bases: Sequence[ScoredSentence | None]
    usage: Usage = field(default_factory=Usage)

    def __post_init__(self) -> None:
        if len(self.sentences) != len(self.bases):
            raise ValueError(f"{len(self.sentences)} sentences and {len(self.bases)} bases")
        local = self.head.vocabulary.local
        for tokens in self.sentences:
            if not tokens:
                raise ValueError("a sentence needs at least one token")
            for token in tokens:
                if token not in local:
                    raise ValueError(f"token {token} is outside the vocabulary {self.head.vocabulary.name!r}")
