"""Attention of packed tokens by tensor operations: sentences padded to one length."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.language.forward.context_cache import ContextCache, whole_blocks


@dataclass(slots=True)
class PaddedAttention:
    """Attention over a padded batch, and the place of each packed token in it.

    Shapes: N packed tokens, B sentences, T longest run of new tokens, L longest sentence in whole blocks
    (:func:`models.language.forward.context_cache.whole_blocks`), H key-value heads, G query heads for each,
    D head size.

    Attributes:
        positions: of the packed tokens, the context counted, (N,).
        slots: row of each packed token in ``store``: its sentence times L plus its place in it, (N,).
        places: sentence of each packed token times T plus its place in the run, (N,).
        lengths: tokens of each packed token's context, (N,).
        run: T.
        contexts: of runs of neighbouring sentences: keys and values, first token and
            the one after the last.
        store: keys and values of the sentences, (B, L, layers, 2, H, D); kept prefixes are filled
            in, those of the new tokens are written by :meth:`attend`. The rest must be finite.
    """

    positions: Tensor
    slots: Tensor
    places: Tensor
    lengths: Tensor
    run: int
    contexts: Sequence[tuple[ContextCache, int, int]]
    store: Tensor
    _hidden_pairs: dict[int | None, Tensor] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        positions: Tensor,
        counts: npt.NDArray[np.int64],
        kept: Sequence[Tensor | None],
        contexts: Sequence[ContextCache],
        room: Callable[[int], Tensor],
    ) -> PaddedAttention:
        """Lay out the new tokens of B sentences; see :func:`models.language.forward.packing.pack`."""
        starts = np.array([0 if one is None else one.shape[0] for one in kept])
        rows = np.repeat(np.arange(len(counts)), counts)
        offsets = np.concatenate([np.arange(count) for count in counts])
        length, run = whole_blocks(int((starts + counts).max())), int(counts.max())
        before = np.repeat([context.length for context in contexts], counts)
        layout = np.stack((rows * length + offsets + np.repeat(starts, counts), rows * run + offsets, before))
        store = room(len(counts) * length)[: len(counts) * length]
        store = store.view(len(counts), length, *store.shape[1:])
        for row, one in enumerate(kept):
            if one is not None:
                store[row, : one.shape[0]] = one
        spans: list[tuple[ContextCache, int, int]] = []
        stops = counts.cumsum()
        for context, start, stop in zip(contexts, stops - counts, stops, strict=True):
            first = spans.pop()[1] if spans and spans[-1][0] is context else int(start)
            spans.append((context, first, int(stop)))
        # One copy for all: on a GPU each waits for the operations before it.
        slots, places, lengths = torch.from_numpy(layout).to(positions.device)
        return cls(positions, slots, places, lengths, run, spans, store)

    def fresh(self) -> Tensor:
        """Keys and values of the new tokens after a forward, (N, layers, 2, H, D)."""
        return self.store.flatten(0, 1)[self.slots]

    def attend(
        self, layer: int, query: Tensor, key: Tensor, value: Tensor, window: int | None, softcap: float | None
    ) -> Tensor:
        """See :meth:`models.language.forward.packing.Packing.attend`."""
        heads, groups, size = query.shape[1:]
        batch, length = self.store.shape[:2]
        count, padded = len(query), batch * self.run
        slots = self.store.flatten(0, 1)[:, layer]
        slots[:, 0].index_copy_(0, self.slots, key.to(slots.dtype))
        slots[:, 1].index_copy_(0, self.slots, value.to(slots.dtype))
        keys, values = (self.store[:, :, layer, i].transpose(1, 2).reshape(batch * heads, length, size) for i in (0, 1))
        query = query.to(slots.dtype)
        own = self._by_sentence(query, padded) @ keys.transpose(1, 2)

        hidden = self._hidden(window)
        split = hidden.shape[-1] - length
        scores = query.new_empty(count, heads, groups, split + length)
        for context, start, stop in self.contexts:
            over = _by_head(query[start:stop]) @ context.layers[layer, 0].transpose(1, 2)
            scores[start:stop, ..., : over.shape[-1]] = _by_token(over, stop - start)
        scores[..., split:] = self._packed(own, heads, groups)
        scores = scores.float()
        if softcap is not None:
            scores = softcap * torch.tanh(scores / softcap)
        weights = scores.masked_fill_(hidden, -torch.inf).softmax(-1).to(slots.dtype)
        mixed = self._packed(self._by_sentence(weights[..., split:], padded) @ values, heads, groups)
        for context, start, stop in self.contexts:
            over = _by_head(weights[start:stop, ..., : context.layers.shape[3]])
            mixed[start:stop] += _by_token(over @ context.layers[layer, 1], stop - start)
        return mixed.flatten(1)

    def _by_sentence(self, x: Tensor, padded: int) -> Tensor:
        """(N, H, G, X) to (B * H, T * G, X), zero where a run is shorter than T."""
        _, heads, groups, width = x.shape
        rows = x.new_zeros(padded, heads, groups, width).index_copy_(0, self.places, x)
        by_sentence = rows.view(-1, self.run, heads, groups, width).transpose(1, 2)
        return by_sentence.reshape(-1, self.run * groups, width)

    def _packed(self, x: Tensor, heads: int, groups: int) -> Tensor:
        """Inverse of :meth:`_by_sentence`."""
        by_place = x.view(-1, heads, self.run, groups, x.shape[-1]).transpose(1, 2)
        return by_place.reshape(-1, heads, groups, x.shape[-1])[self.places]

    def _hidden(self, window: int | None) -> Tensor:
        """Pairs (query, key) that must not meet, (N, 1, 1, C' + L) with the longest context's C'."""
        if window not in self._hidden_pairs:
            device = self.positions.device
            present = self.lengths[:, None]
            padded = torch.arange(max(context.layers.shape[3] for context, *_ in self.contexts), device=device)
            own = torch.arange(self.store.shape[1], device=device)
            # Keys are counted from the context's first token; those of its padding lie beyond every query.
            beyond = present + self.store.shape[1]
            key = torch.cat((torch.where(padded < present, padded, beyond), present + own), 1)
            distance = self.positions[:, None] - key
            hidden = distance < 0
            if window is not None:
                hidden |= distance >= window
            self._hidden_pairs[window] = hidden[:, None, None]
        return self._hidden_pairs[window]


def _by_head(x: Tensor) -> Tensor:
    """(N, H, G, X) to (H, N * G, X)."""
    return x.transpose(0, 1).reshape(x.shape[1], -1, x.shape[-1])


def _by_token(x: Tensor, count: int) -> Tensor:
    """(H, N * G, X) to (N, H, G, X)."""
    return x.view(x.shape[0], count, -1, x.shape[-1]).transpose(0, 1)
