"""The output layer over the allowed tokens of a vocabulary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from models.language.projection import Projection
from models.language.vocabulary import Vocabulary

if TYPE_CHECKING:
    from models.language.foresight import Lookahead


@dataclass(eq=False)
class Head:
    """The output layer over the allowed tokens only.

    Attributes:
        vocabulary: which tokens.
        weight: rows of the output embedding, (V, d).
        bias: (V,), or None.
        projection: computes hidden @ weight.T + bias.
        softcap: logits are softcap * tanh(logits / softcap), if set (Gemma 2).
        lookahead: the vocabulary's bigram model, for rows that look ahead; None until it is wanted.
    """

    vocabulary: Vocabulary
    weight: Tensor
    bias: Tensor | None
    projection: Projection
    softcap: float | None
    lookahead: Lookahead | None = None

    def logits(self, hidden: Tensor) -> Tensor:
        """(N, d) to (N, V), float32."""
        return self._capped(self.projection(hidden).float())

    def logits_of(self, hidden: Tensor, local: Tensor) -> Tensor:
        """The logit of one token for each row: (N, d) and local ids (N,) to (N,), float32."""
        logits = (hidden.float() * self.weight[local].float()).sum(-1)
        return self._capped(logits if self.bias is None else logits + self.bias[local].float())

    def logits_over(self, states: Projection, local: Tensor) -> Tensor:
        """The logits of some tokens for fixed hidden states: local ids (U,) to (U, N), float32.

        Args:
            states: N hidden states laid out as a weight, (N, d).
            local: local ids.
        """
        logits = states(self.weight[local]).float()
        return self._capped(logits if self.bias is None else logits + self.bias[local].float()[:, None])

    def _capped(self, logits: Tensor) -> Tensor:
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)
