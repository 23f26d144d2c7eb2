"""Attention for sentences of unequal lengths that share a context and reuse their prefixes.

The new tokens of all sentences are packed into one row of N tokens, so every linear layer
of the body runs over N useful tokens and no padding. Only attention, a small share of the
work on short sentences, unpacks them. It is registered with transformers' attention
interface; the model's own code is untouched.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface

NAME = "chainwright_ragged"


@dataclass(slots=True)
class Packing:
    """Where each packed token belongs, and the keys and values that it may attend to.

    Shapes: N packed tokens, B sentences, T longest run of new tokens, L longest sentence,
    C context tokens, H key-value heads, D head size.

    Attributes:
        rows: sentence of each packed token, (N,).
        offsets: place of each packed token among its sentence's new tokens, (N,).
        columns: place of each packed token in its sentence, (N,).
        store: keys and values of the sentences by layer, (layers, 2, B, H, L, D); kept
            prefixes are filled in, the new tokens' are written during the forward.
        context: keys and values of the shared context, (layers, 2, H, C, D).
    """

    rows: Tensor
    offsets: Tensor
    columns: Tensor
    store: Tensor
    context: Tensor
    _hidden_pairs: dict[int | None, Tensor] = field(default_factory=dict)

    def hidden_pairs(self, window: int | None) -> Tensor:
        """Pairs (query, key) that must not meet, (B, 1, 1, T, C + L), for a sliding window or none."""
        if window not in self._hidden_pairs:
            device = self.rows.device
            context, length = self.context.shape[-2], self.store.shape[-2]
            batch, run = self.store.shape[2], int(self.offsets.max()) + 1
            # A padding query sees every column: its output is never read, but must not be NaN.
            query = torch.full((batch, run), context + length, device=device)
            query[self.rows, self.offsets] = context + self.columns
            key = torch.arange(context + length, device=device)
            distance = query[:, :, None] - key
            hidden = distance < 0
            if window is not None:
                hidden |= (distance >= window) & (query[:, :, None] < context + length)
            self._hidden_pairs[window] = hidden[:, None, None]
        return self._hidden_pairs[window]


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    packing: Packing,
    scaling: float | None = None,
    sliding_window: int | None = None,
    softcap: float | None = None,
    **_: Any,
) -> tuple[Tensor, None]:
    """Scaled dot-product attention over a :class:`Packing`.

    Args:
        module: the attention layer; its ``layer_idx`` picks the stored keys and values.
        query: (1, G * H, N, D), rotated.
        key: (1, H, N, D), rotated.
        value: (1, H, N, D).
        attention_mask: unused; the packing knows what each token sees.

    Returns:
        (1, N, G * H, D), and None for the attention weights.
    """
    keys, values = packing.store[module.layer_idx]  # type: ignore[index]
    keys[packing.rows, :, packing.columns] = key[0].transpose(0, 1)
    values[packing.rows, :, packing.columns] = value[0].transpose(0, 1)
    context_keys, context_values = packing.context[module.layer_idx]  # type: ignore[index]

    hidden = packing.hidden_pairs(sliding_window)
    batch, heads, _, size = keys.shape
    run = hidden.shape[3]
    groups = query.shape[1] // heads
    unpacked = query.new_zeros(batch, run, heads, groups, size)
    unpacked[packing.rows, packing.offsets] = query[0].transpose(0, 1).reshape(-1, heads, groups, size)
    queries = unpacked.permute(0, 2, 3, 1, 4).reshape(batch, heads, groups * run, size)

    scores = torch.cat((queries @ context_keys.transpose(-1, -2), queries @ keys.transpose(-1, -2)), -1)
    scores = scores.float() * (size**-0.5 if scaling is None else scaling)
    if softcap is not None:
        scores = softcap * torch.tanh(scores / softcap)
    scores = scores.view(batch, heads, groups, run, -1).masked_fill_(hidden, -torch.inf)
    weights = scores.softmax(-1).to(values.dtype).view(batch, heads, groups * run, -1)
    split = context_keys.shape[-2]
    mixed = weights[..., :split] @ context_values + weights[..., split:] @ values

    packed = mixed.view(batch, heads, groups, run, size).permute(0, 3, 1, 2, 4)[packing.rows, packing.offsets]
    return packed.reshape(1, -1, heads * groups, size), None


AttentionInterface.register(NAME, attend)
