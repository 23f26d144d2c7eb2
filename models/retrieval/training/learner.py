"""Interface of models in training, of any family."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional

from models.retrieval.training.adapter import Adapter


@dataclass(frozen=True, eq=False)
class OutputLayer:
    """From last hidden states h to logits: cap * tanh((W h + b) / cap), without the cap if there is none."""

    weight: Tensor  # W, (V, d)
    bias: Tensor | None = None  # b, (V,)
    softcap: float | None = None  # the cap

    @property
    def device(self) -> torch.device:
        """Device of the weights."""
        return self.weight.device

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the weights."""
        return self.weight.dtype

    def over(self, hidden: Tensor, vocabulary: Tensor) -> Tensor:
        """Logits of the same tokens for every row: (N, d) and (W,) to (N, W), in float32."""
        bias = None if self.bias is None else self.bias[vocabulary]
        return self._capped(functional.linear(hidden, self.weight[vocabulary], bias).float())

    def at(self, hidden: Tensor, tokens: Tensor) -> Tensor:
        """Logits of each row's own tokens: (N, d) and (N, A) to (N, A), in float32."""
        logits = torch.einsum("nd,nad->na", hidden.float(), self.weight[tokens].float())
        return self._capped(logits if self.bias is None else logits + self.bias[tokens].float())

    def _capped(self, logits: Tensor) -> Tensor:
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)


class Learner(Protocol):
    """A model with an adapter, encoder-decoder or prefix-LM, that gives gradients to the adapter alone."""

    @property
    def adapter(self) -> Adapter:
        """The trained parameters."""
        ...

    @property
    def output(self) -> OutputLayer:
        """The output layer, which is not trained."""
        ...

    def hidden(self, questions: Sequence[Sequence[int]], keys: Sequence[Sequence[int]]) -> Tensor:
        """Hidden states, ready for :attr:`output`, of the rows that predict the keys' tokens, key after key, (N, d).

        Questions are as :meth:`KeyCodec.question` writes them; keys end in the end token.
        """
        ...


def padded(rows: Sequence[Sequence[int]], device: torch.device) -> tuple[Tensor, Tensor]:
    """Rows of unequal lengths as a matrix, padded with 0 on the right, and the mask of what is not padding."""
    longest = max(map(len, rows))
    matrix = torch.tensor([[*row, *[0] * (longest - len(row))] for row in rows], device=device)
    lengths = torch.tensor([len(row) for row in rows], device=device)
    return matrix, torch.arange(longest, device=device) < lengths[:, None]
