"""Where a sentence's tokens stand in the rows that predict them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.language.forward.masked_output import MaskedOutput, entropies, log_norms
from models.language.scoring.kv_cache import ScoredSentence


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A sentence's n tokens among those of the mask.

    Attributes:
        ranks: one more than there are likelier tokens, (n,).
        entropies: of the whole row at each place, in nats, (n,).
        top: ids of the k likeliest tokens at each place, the best first, (n, k).
        log_probs: theirs, in nats; of the sentence's own token to the last bit that of its score, (n, k).
    """

    ranks: npt.NDArray[np.int64]
    entropies: npt.NDArray[np.float32]
    top: npt.NDArray[np.int64]
    log_probs: npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Rankings:
    """Scored sentences whose tokens are to be ranked.

    Attributes:
        output: the vocabulary.
        scored: the sentences.
        top: k; all tokens of the mask if it has fewer.
    """

    output: MaskedOutput
    scored: Sequence[ScoredSentence]
    top: int
    rank: ClassVar[int] = 1

    @property
    def kind(self) -> object:
        """Rankings over one vocabulary, as many likeliest tokens of each, run together."""
        return type(self), self.output, self.top

    @property
    def cost(self) -> int:
        """A product with the output layer for each token."""
        return sum(len(one.tokens) for one in self.scored)

    @torch.inference_mode()
    def run(self, together: Sequence[Rankings]) -> list[list[Ranking]]:
        """The rows of all, as many at a time as fit."""
        scored = [one for work in together for one in work.scored]
        device = scored[0].hidden.device
        local = self.output.vocabulary.local_ids[np.concatenate([one.tokens for one in scored])]
        rows = (
            torch.cat([one.hidden for one in scored]),
            torch.cat([one.log_norms for one in scored]),
            torch.from_numpy(local).to(device),
            torch.from_numpy(np.concatenate([one.log_probs for one in scored])).float().to(device),
        )
        parts = zip(*(torch.split(column, self.output.rows_at_once) for column in rows), strict=True)
        ranked = zip(*(self._ranked(*part) for part in parts), strict=True)
        ranks, entropy, top, log_probs = (torch.cat(columns).cpu().numpy() for columns in ranked)
        stops = np.cumsum([len(one.tokens) for one in scored])[:-1]
        columns = (ranks, entropy, self.output.vocabulary.ids[top], log_probs)
        each = map(Ranking, *(np.split(column, stops) for column in columns))
        return [[next(each) for _ in work.scored] for work in together]

    def _ranked(self, hidden: Tensor, norms: Tensor, local: Tensor, log_probs: Tensor) -> tuple[Tensor, ...]:
        """Rank and entropy of N rows, and local ids and log-probs of their likeliest tokens.

        Args:
            hidden: (N, d).
            norms: of the scores, (N,).
            local: local id of the token that is there, (N,).
            log_probs: of this token, (N,).
        """
        row = self.output.precise_logits(hidden)
        entropy = entropies(row, log_norms(row))
        row -= norms[:, None]
        # A score's own product is summed in another order: the row must agree with it.
        row.scatter_(1, local[:, None], log_probs[:, None])
        best = row.topk(min(self.top, row.shape[1]))
        return 1 + (row > log_probs[:, None]).sum(-1), entropy, best.indices, best.values
