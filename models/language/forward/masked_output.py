"""The output layer over the allowed tokens of a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from models.language.forward.projection import Projection
from models.language.vocabulary import Vocabulary


@dataclass(eq=False)
class Head:
    """The output layer over the allowed tokens only.

    Attributes:
        vocabulary: which tokens.
        ids: token ids of the allowed tokens by local id, (V,).
        weight: the whole output embedding, shared by all vocabularies, of which single rows are read.
        bias: (V,), or None.
        projection: computes hidden @ weight.T + bias.
        softcap: logits are softcap * tanh(logits / softcap), if set (Gemma 2).
    """

    vocabulary: Vocabulary
    ids: Tensor
    weight: Tensor
    bias: Tensor | None
    projection: Projection
    softcap: float | None

    def logits(self, hidden: Tensor) -> Tensor:
        """(N, d) to (N, V), float32."""
        return self._capped(self.projection(hidden).float())

    def logits_of(self, hidden: Tensor, local: Tensor) -> Tensor:
        """The logit of one token for each row: (N, d) and local ids (N,) to (N,), float32."""
        # A file may hold the embedding in another precision than the projection, whose rows these must be.
        rows = self.weight[self.ids[local]].to(hidden.dtype)
        logits = (hidden.float() * rows.float()).sum(-1)
        return self._capped(logits if self.bias is None else logits + self.bias[local].float())

    def _capped(self, logits: Tensor) -> Tensor:
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)
