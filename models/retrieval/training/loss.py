"""Losses of a batch of keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.retrieval.training.learner import OutputLayer, padded
from models.retrieval.training.sampled_index import Choices


@dataclass(frozen=True, slots=True)
class Losses:
    """Losses of Q keys."""

    language: Tensor  # mean over all key tokens of -log p(token | question, before), over the given vocabulary
    siblings: Tensor  # mean over keys of -sum log p(token | ...), renormalised over a sampled index
    right: Tensor  # share of keys at each of whose tokens the true one is the likeliest of the sampled index


def key_losses(hidden: Tensor, output: OutputLayer, vocabulary: Tensor, batch: Sequence[Choices]) -> Losses:
    """Losses of a batch.

    Args:
        hidden: last hidden states that predict the keys' tokens, key after key, (N, d).
        output: of the model.
        vocabulary: the tokens over which the language loss normalises, ascending, (W,), the keys' own included.
        batch: the keys, N tokens in all.
    """
    tokens = torch.tensor([token for one in batch for token in one.key], device=hidden.device)
    language = functional.cross_entropy(output.over(hidden, vocabulary), torch.searchsorted(vocabulary, tokens))

    asked, real = padded([allowed for one in batch for allowed in one.allowed], hidden.device)
    near = output.at(hidden, asked).masked_fill(~real, -torch.inf)
    lost = near.logsumexp(-1) - near[:, 0]
    owner = torch.repeat_interleave(torch.tensor([len(one.key) for one in batch])).to(hidden.device)
    siblings = lost.new_zeros(len(batch)).index_add(0, owner, lost)
    slips = lost.new_zeros(len(batch)).index_add(0, owner, (near.argmax(-1) != 0).float())
    return Losses(language, siblings.mean(), (slips == 0).float().mean())
