"""Attention for sentences of unequal lengths that share a context and reuse their prefixes.

The new tokens of all sentences are packed into one row of N tokens, so every linear layer of a
body runs over N useful tokens and no padding. Only attention, a small share of the work on short
sentences, unpacks them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

BLOCK = 16
"""Columns are padded to a multiple of this. Below it matrix products and softmax take other paths
through the vector units, and a score would depend on the batch by its last bits."""


class ContextStore(NamedTuple):
    """Keys and values of a context of C tokens, padded to a multiple of :data:`BLOCK`.

    Attributes:
        layers: (layers, 2, H, C', D).
        length: C.
    """

    layers: Tensor
    length: int

    @classmethod
    def of(cls, tokens: Tensor) -> ContextStore:
        """From keys and values by token, (C, layers, 2, H, D); C may be 0."""
        length = tokens.shape[0]
        padded = tokens.new_zeros(_up(length), *tokens.shape[1:])
        padded[:length] = tokens
        return cls(padded.permute(1, 2, 3, 0, 4).contiguous(), length)


@dataclass(slots=True)
class Packing:
    """Where each packed token belongs, and the keys and values that it may attend to.

    Shapes: N packed tokens, B sentences, T longest run of new tokens, L longest sentence padded to
    a multiple of :data:`BLOCK`, H key-value heads, G query heads for each of them, D head size.

    Attributes:
        tokens: ids of the packed tokens, (N,).
        positions: their positions, the context counted, (N,).
        columns: place of each packed token in its sentence, (N,).
        slots: row of each packed token in ``store``, its sentence times L plus its column, (N,).
        places: sentence of each packed token times T plus its place in the run, (N,).
        run: T.
        context: keys and values of the shared context.
        store: keys and values of the sentences, (B, L, layers, 2, H, D); kept prefixes are filled
            in, those of the new tokens are written by :meth:`attend`. The rest must be finite.
    """

    tokens: Tensor
    positions: Tensor
    columns: Tensor
    slots: Tensor
    places: Tensor
    run: int
    context: ContextStore
    store: Tensor
    _hidden_pairs: dict[int | None, Tensor] = field(default_factory=dict)

    def fresh(self) -> Tensor:
        """Keys and values of the new tokens after a forward, (N, layers, 2, H, D)."""
        return self.store.flatten(0, 1)[self.slots]

    def attend(
        self,
        layer: int,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        window: int | None = None,
        softcap: float | None = None,
    ) -> Tensor:
        """softmax(Q K^T) V over the context and each token's own sentence up to itself.

        Args:
            layer: index of the layer.
            query: (N, H, G, D), rotated and scaled.
            key: (N, H, D), rotated.
            value: (N, H, D).
            window: each token sees that many tokens, itself included; None for all.
            softcap: scores are softcap * tanh(scores / softcap), if given.

        Returns:
            (N, H * G * D).
        """
        heads, groups, size = query.shape[1:]
        batch, length = self.store.shape[:2]
        slots = self.store.flatten(0, 1)[:, layer]
        slots[:, 0].index_copy_(0, self.slots, key.to(slots.dtype))
        slots[:, 1].index_copy_(0, self.slots, value.to(slots.dtype))
        keys, values = (self.store[:, :, layer, i].transpose(1, 2).reshape(batch * heads, length, size) for i in (0, 1))
        context_keys, context_values = self.context.layers[layer]

        unpacked = query.new_zeros(batch * self.run, heads, groups, size, dtype=slots.dtype)
        unpacked.index_copy_(0, self.places, query.to(slots.dtype))
        queries = unpacked.view(batch, self.run, heads, groups, size).transpose(1, 2).reshape(batch * heads, -1, size)
        by_head = queries.view(batch, heads, -1, size).transpose(0, 1).reshape(heads, -1, size)

        rows = self.run * groups

        def by_sentence(x: Tensor) -> Tensor:
            return x.view(heads, batch, rows, -1).transpose(0, 1).reshape(batch * heads, rows, -1)

        scores = torch.cat(
            (by_sentence(by_head @ context_keys.transpose(1, 2)), queries @ keys.transpose(1, 2)), -1
        ).float()
        if softcap is not None:
            scores = softcap * torch.tanh(scores / softcap)
        scores.view(batch, heads, self.run, groups, -1).masked_fill_(self._hidden(window), -torch.inf)
        weights = scores.softmax(-1).to(slots.dtype)
        split = context_keys.shape[1]
        over_context = weights[..., :split].view(batch, heads, -1, split).transpose(0, 1).reshape(heads, -1, split)
        mixed = by_sentence(over_context @ context_values) + weights[..., split:] @ values
        return (
            mixed.view(batch, heads, self.run, groups * size).transpose(1, 2).reshape(batch * self.run, -1)[self.places]
        )

    def _hidden(self, window: int | None) -> Tensor:
        """Pairs (query, key) that must not meet, (B, 1, T, 1, C' + L)."""
        if window not in self._hidden_pairs:
            device = self.tokens.device
            batch, length = self.store.shape[:2]
            padded, present = self.context.layers.shape[3], self.context.length
            # Columns count from the context's first token; those of its padding lie beyond every query.
            key = torch.cat((torch.arange(padded, device=device), torch.arange(length, device=device) + present))
            key[present:padded] = present + length + 1
            # A padding query sees every column but these: its output is never read, but must not be NaN.
            query = torch.full((batch * self.run,), present + length, device=device)
            query[self.places] = present + self.columns
            distance = query[:, None] - key
            hidden = distance < 0
            if window is not None:
                hidden |= (distance >= window) & (query[:, None] < present + length)
            self._hidden_pairs[window] = hidden.view(batch, 1, self.run, 1, -1)
        return self._hidden_pairs[window]


def pack(
    fed: Sequence[Sequence[int]],
    kept: Sequence[Tensor | None],
    context: ContextStore,
    store: Tensor,
) -> Packing:
    """Lay out the new tokens of B sentences.

    Args:
        fed: new token ids of each, at least one.
        kept: keys and values of the tokens before them, (k, layers, 2, H, D), or None for none.
        context: what all of them continue.
        store: room for their keys and values, (>= slots_needed, layers, 2, H, D), finite; overwritten.

    Returns:
        A packing whose ``store`` is a view of ``store``.
    """
    counts = np.array([len(tokens) for tokens in fed])
    starts = np.array([0 if one is None else one.shape[0] for one in kept])
    rows = np.repeat(np.arange(len(fed)), counts)
    offsets = np.concatenate([np.arange(count) for count in counts])
    columns = offsets + np.repeat(starts, counts)
    length, run = _up(int((starts + counts).max())), int(counts.max())
    ids = np.concatenate([np.asarray(tokens) for tokens in fed])
    layout = np.stack((ids, columns + context.length, columns, rows * length + columns, rows * run + offsets))
    tokens, positions, column, slots, places = torch.from_numpy(layout).to(store.device)
    view = store[: len(fed) * length].view(len(fed), length, *store.shape[1:])
    for row, one in enumerate(kept):
        if one is not None:
            view[row, : one.shape[0]] = one
    return Packing(tokens, positions, column, slots, places, run, context, view)


def slots_needed(fed: Sequence[Sequence[int]], kept: Sequence[int]) -> int:
    """B * L for :func:`pack`, given how many tokens each sentence keeps."""
    return len(fed) * _up(max(k + len(tokens) for k, tokens in zip(kept, fed, strict=True)))


def _up(length: int) -> int:
    return max(BLOCK, -(-length // BLOCK) * BLOCK)
