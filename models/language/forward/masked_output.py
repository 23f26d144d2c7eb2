"""The output layer over all tokens, or over the allowed ones of a vocabulary."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from models.language.forward.projection import Projection
from models.language.vocabulary import Vocabulary

LOGITS_AT_ONCE = 2**24
"""Most logits held at once where rows are reduced to a few numbers: 64 MB."""

WEIGHTS_AT_ONCE = 2**24
"""Most weights widened to float32 at once: 64 MB."""


class OutputLayer:
    """Logits over some tokens.

    Args:
        weight: the whole output embedding, (tokens, d), of which single rows are read too.
        bias: (tokens,), or None.
        dtype: of the products.
        softcap: logits are softcap * tanh(logits / softcap), if set (Gemma 2).
        ids: token ids of the V tokens, by local id; None for all.
    """

    def __init__(
        self,
        weight: Tensor,
        bias: Tensor | None,
        dtype: torch.dtype,
        softcap: float | None,
        ids: Tensor | None = None,
    ) -> None:
        self._weight, self._ids, self._softcap = weight, ids, softcap
        self._bias = bias if bias is None or ids is None else bias[ids]
        self._size = len(weight) if ids is None else len(ids)
        self._projection = Projection((weight if ids is None else weight[ids]).to(dtype), self._bias)

    @property
    def rows_at_once(self) -> int:
        """Rows of logits that :data:`LOGITS_AT_ONCE` are."""
        return max(1, LOGITS_AT_ONCE // self._size)

    def logits(self, hidden: Tensor) -> Tensor:
        """(N, d) to (N, V), float32."""
        return capped(self._projection(hidden).float(), self._softcap)

    def precise_logits(self, hidden: Tensor) -> Tensor:
        """As :meth:`logits`, never rounded to bfloat16, whose steps are 1/8 from 16 on: many tokens would tie."""
        if self._projection.dtype == torch.float32:
            return self.logits(hidden.float())
        every = torch.arange(self._size, device=hidden.device)
        parts = [
            Projection(self._weights(some, hidden.dtype).float())(hidden.float())
            for some in torch.split(every, max(1, WEIGHTS_AT_ONCE // hidden.shape[1]))
        ]
        logits = torch.cat(parts, 1)
        return capped(logits if self._bias is None else logits + self._bias.float(), self._softcap)

    def log_norms(self, hidden: Tensor) -> Tensor:
        """log sum exp of each row's logits, in nats: (N, d) to (N,), float32."""
        return torch.cat([log_norms(self.logits(part)) for part in torch.split(hidden, self.rows_at_once)])

    def logits_of(self, hidden: Tensor, local: Tensor) -> Tensor:
        """The logit of one token for each row: (N, d) and local ids (N,) to (N,), float32."""
        logits = (hidden.float() * self._weights(local, hidden.dtype).float()).sum(-1)
        return capped(logits if self._bias is None else logits + self._bias[local].float(), self._softcap)

    def _weights(self, local: Tensor, dtype: torch.dtype) -> Tensor:
        """Rows of the projection's weight, which the file may hold in another precision."""
        return self._weight[local if self._ids is None else self._ids[local]].to(dtype)


class MaskedOutput(OutputLayer):
    """The output layer over the allowed tokens of a vocabulary only.

    Attributes:
        vocabulary: its tokens are the V, by their local ids.
    """

    def __init__(
        self, vocabulary: Vocabulary, weight: Tensor, bias: Tensor | None, dtype: torch.dtype, softcap: float | None
    ) -> None:
        self.vocabulary = vocabulary
        super().__init__(weight, bias, dtype, softcap, torch.from_numpy(vocabulary.ids).to(weight.device))


def capped(logits: Tensor, softcap: float | None) -> Tensor:
    """Logits within ± softcap, if it is set."""
    return logits if softcap is None else softcap * torch.tanh(logits / softcap)


def log_norms(logits: Tensor) -> Tensor:
    """log sum exp of each row, in nats: (N, V) to (N,)."""
    return _each_row(logits, lambda rows: rows.logsumexp(-1))


def entropies(logits: Tensor, norms: Tensor) -> Tensor:
    """Entropy of each row's law, the norm less the mean logit, in nats: (N, V) and its :func:`log_norms` to (N,)."""
    weighted = (logits - norms[:, None]).exp_().mul_(logits)
    return (norms - _each_row(weighted, lambda rows: rows.sum(-1))).clamp_(min=0)


def _each_row(rows: Tensor, reduced: Callable[[Tensor], Tensor]) -> Tensor:
    """A reduction of rows, each to the same bits however many: PyTorch sums a single one in parts, one a thread."""
    return reduced(rows) if len(rows) > 1 else reduced(rows.repeat(2, 1))[: len(rows)]
