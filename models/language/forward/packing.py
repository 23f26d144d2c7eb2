"""New tokens of sentences of unequal lengths, side by side, that share contexts and reuse their prefixes.

The new tokens of all sentences are packed into one row of N tokens, so every linear layer of a
body runs over N useful tokens and no padding. Only attention knows which belong together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.language.forward.context_cache import ContextCache
from models.language.forward.padded_attention import PaddedAttention


@dataclass(slots=True)
class Packing:
    """The new tokens of B sentences, and the keys and values that they may attend to.

    Shapes: N packed tokens, H key-value heads, G query heads for each of them, D head size.

    Attributes:
        tokens: ids of the packed tokens, (N,).
        positions: their positions, the context counted, (N,).
        counts: new tokens of each sentence, (B,).
        kept: keys and values of the tokens before them, (k, layers, 2, H, D), or None for none.
        contexts: the context of each of the sentences.
        room: memory for so many keys and values, (>= so many, layers, 2, H, D), finite.
        fresh: keys and values of the new tokens, (N, layers, 2, H, D), where the body itself sets them.
    """

    tokens: Tensor
    positions: Tensor
    counts: npt.NDArray[np.int64]
    kept: Sequence[Tensor | None]
    contexts: Sequence[ContextCache]
    room: Callable[[int], Tensor]
    fresh: Tensor | None = None
    _padded: PaddedAttention | None = None

    def added(self) -> Tensor:
        """Keys and values of the new tokens after a forward, (N, layers, 2, H, D)."""
        return self._layout().fresh() if self.fresh is None else self.fresh

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
        return self._layout().attend(layer, query, key, value, window, softcap)

    def _layout(self) -> PaddedAttention:
        if self._padded is None:
            self._padded = PaddedAttention.of(self.positions, self.counts, self.kept, self.contexts, self.room)
        return self._padded


def pack(
    fed: Sequence[Sequence[int]],
    kept: Sequence[Tensor | None],
    contexts: Sequence[ContextCache],
    room: Callable[[int], Tensor],
) -> Packing:
    """Lay out the new tokens of B sentences.

    Args:
        fed: new token ids of each, at least one.
        kept: keys and values of the tokens before them, (k, layers, 2, H, D), or None for none.
        contexts: the context of each; neighbours with the same one are handled together.
        room: gives memory for keys and values, (>= as many as asked for, layers, 2, H, D), finite.
    """
    counts = np.array([len(tokens) for tokens in fed])
    firsts = [
        context.length + (0 if one is None else one.shape[0]) for context, one in zip(contexts, kept, strict=True)
    ]
    ids = np.concatenate([np.asarray(tokens) for tokens in fed])
    positions = np.concatenate([np.arange(first, first + count) for first, count in zip(firsts, counts, strict=True)])
    tokens, at = torch.from_numpy(np.stack((ids, positions))).to(contexts[0].layers.device)
    return Packing(tokens, at, counts, kept, contexts, room)
