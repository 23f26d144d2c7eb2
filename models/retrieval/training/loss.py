"""The two losses of a batch of keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.retrieval.training.sampled_index import Choices


@dataclass(frozen=True, slots=True)
class Losses:
    """Of Q keys.

    Attributes:
        language: mean over all key tokens of -log p(token | question, before), over the given vocabulary.
        siblings: mean over keys of -sum log p(token | ...), renormalised over a sampled index.
        right: share of keys at each of whose tokens the true one is the likeliest of the sampled index.
    """

    language: Tensor
    siblings: Tensor
    right: Tensor


def key_losses(
    hidden: Tensor, output: Tensor, vocabulary: Tensor, batch: Sequence[Choices], softcap: float | None = None
) -> Losses:
    """Losses of a batch.

    Args:
        hidden: last hidden states that predict the keys' tokens, key after key, (N, d).
        output: the output embedding, (V, d).
        vocabulary: the tokens over which the language loss normalises, ascending, (W,); the keys'
            own must be among them.
        batch: the keys, N tokens in all.
        softcap: logits are softcap * tanh(logits / softcap), if given.
    """
    tokens = torch.tensor([token for one in batch for token in one.key], device=hidden.device)
    logits = _capped(functional.linear(hidden, output[vocabulary]).float(), softcap)
    language = functional.cross_entropy(logits, torch.searchsorted(vocabulary, tokens))

    rows = [allowed for one in batch for allowed in one.allowed]
    asked, real = padded(rows, hidden.device)
    near = _capped(torch.einsum("nd,nad->na", hidden.float(), output[asked].float()), softcap)
    near = near.masked_fill(~real, -torch.inf)
    lost = near.logsumexp(-1) - near[:, 0]
    owner = torch.repeat_interleave(torch.tensor([len(one.key) for one in batch])).to(hidden.device)
    siblings = lost.new_zeros(len(batch)).index_add(0, owner, lost)
    slips = lost.new_zeros(len(batch)).index_add(0, owner, (near.argmax(-1) != 0).float())
    return Losses(language, siblings.mean(), (slips == 0).float().mean())


def padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows of unequal lengths as a matrix, padded with 0 on the right, and where it is not padding."""
    longest = max(map(len, rows))
    matrix = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return matrix, torch.arange(longest, device=device) < lengths[:, None]


def _capped(logits: Tensor, softcap: float | None) -> Tensor:
    return logits if softcap is None else softcap * torch.tanh(logits / softcap)
