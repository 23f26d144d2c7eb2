"""A bigram model made from the language model itself: what is likely to follow each token.

b(v | w) is the model's own next-token row after the three tokens (begin, c, w), renormalised over
a vocabulary mask, where c is the most frequent interior token: right after the beginning, w would
be read as a title. It is kept factored: with H (N, d) the hidden states after (begin, c, w) of the
N most frequent interior tokens w and n (N,) the log-norms of their rows,

    log b(v | w) = logit(H_w, v) - n_w,

so all w for one follower v cost one (N, d) by (d,) product. A token w outside the table backs off
to the mean row, b(v | w) = 1/N sum_u b(v | u). Proposals that look ahead multiply their row by a
power of b (:class:`samplers.language.RowQuery`); any positive b serves their law, so neither the
rounding nor the back-off costs exactness.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from models.language.vocabulary import Vocabulary
from samplers.language import Alphabet, RowQuery

if TYPE_CHECKING:
    from models.language.scorer import CausalScorer, Context, Head

SIZE = 4096
"""Most tokens with a row of their own. A build feeds each once, so this bounds its time."""
CHUNK = 256
"""Tokens fed together. A constant, so that a build gives the same numbers whatever ran before."""


@dataclass(frozen=True, slots=True, eq=False)
class Foresight:
    """The bigram model of a vocabulary.

    Attributes:
        local: local ids of the tokens with a row of their own, ascending, (N,) int64.
        hidden: H, rounded to bfloat16, (N, d).
        log_norms: n in nats, float32, (N,).
        mean: log of the mean row over all allowed tokens, in nats, float32, (V,).
    """

    local: Tensor
    hidden: Tensor
    log_norms: Tensor
    mean: Tensor

    def to(self, weight: Tensor) -> Foresight:
        """The same on the device and in the precision of a head's weight, as :meth:`log_b` needs it."""
        device = weight.device
        return Foresight(self.local.to(device), self.hidden.to(weight), self.log_norms.to(device), self.mean.to(device))

    def log_b(self, head: Head, followers: Tensor) -> Tensor:
        """log b(v | w) in nats of every interior token w before each follower v.

        Args:
            head: of the vocabulary that this was built for.
            followers: local ids of v, (U,).

        Returns:
            (U, interior), float32.
        """
        rows = self.mean[followers][:, None].repeat(1, head.vocabulary.interior)
        rows[:, self.local] = head.columns(self.hidden, followers).T - self.log_norms
        return rows


def build(scorer: CausalScorer, vocabulary: Vocabulary, begin: int, report: Callable[[float], None]) -> Foresight:
    """Make the bigram model of a vocabulary.

    Args:
        scorer: the model.
        vocabulary: the mask.
        begin: the token that begins every context.
        report: told the share done, from 0 to 1.

    Returns:
        The model on the CPU, as it is stored.
    """
    head = scorer.head(vocabulary)
    with torch.inference_mode():
        frequency = frequencies(scorer, head, begin)
        local = _likeliest(frequency, SIZE)
        context = scorer.context([begin, int(vocabulary.ids[int(frequency.argmax())])], head)
        states, norms = [], []
        total = torch.zeros(len(vocabulary), dtype=torch.float64, device=scorer.device)
        for at in range(0, len(local), CHUNK):
            report(at / len(local))
            hidden, log_norms = _after(scorer, head, context, local[at : at + CHUNK])
            total += head.logits(hidden).softmax(-1).sum(0, dtype=torch.float64)
            states.append(hidden.bfloat16().cpu())
            norms.append(log_norms.float().cpu())
        report(1.0)
        # Positive, whatever underflows: a hot chain takes b to the power 0.
        mean = (total / len(local)).clamp_min(1e-30).log().float().cpu()
        return Foresight(local.cpu(), torch.cat(states), torch.cat(norms), mean)


@torch.inference_mode()
def frequencies(scorer: CausalScorer, head: Head, begin: int) -> Tensor:
    """How frequent each interior token is, up to a factor, (interior,).

    As frequent as the model finds it, on average, after (begin, w) for the :data:`CHUNK`
    likeliest first tokens w.
    """
    interior = head.vocabulary.interior
    context = scorer.context([begin], head)
    opening = _likeliest(head.logits(context.root.hidden)[0, :interior], CHUNK)
    hidden, _ = _after(scorer, head, context, opening)
    return head.logits(hidden).softmax(-1).mean(0)[:interior]


def _likeliest(scores: Tensor, most: int) -> Tensor:
    """Places of the highest scores, ascending."""
    return scores.topk(min(most, len(scores))).indices.sort().values


def _after(scorer: CausalScorer, head: Head, context: Context, local: Tensor) -> tuple[Tensor, Tensor]:
    """Hidden states and log-norms of the rows after the context and w, (n, d) and (n,)."""
    ids = head.vocabulary.ids
    end = int(ids[head.vocabulary.interior])
    scored = scorer.score(context, head, [(int(ids[k]), end) for k in local.tolist()], [None] * len(local))
    return torch.stack([one.hidden[1] for one in scored]), torch.stack([one.log_norms[1] for one in scored])


def look_ahead(head: Head, logits: Tensor, queries: Sequence[RowQuery]) -> Tensor:
    """Add a log b(v | w) to the rows of those queries that look ahead.

    Args:
        head: whose bigram model.
        logits: one row a query, over the interior tokens if any of them looks ahead, (B, A).
        queries: B of them.

    Raises:
        ValueError: a query looks ahead and the head has no bigram model, the alphabet is not the
            interior one, or the follower is not of the vocabulary.
    """
    ahead = [(k, query) for k, query in enumerate(queries) if query.following is not None and query.foresight > 0]
    if not ahead:
        return logits
    if head.foresight is None or any(query.alphabet is not Alphabet.INTERIOR for _, query in ahead):
        raise ValueError("a row can look ahead only over interior tokens and with a head that has its foresight")
    try:
        followers = [head.vocabulary.local[query.following] for _, query in ahead if query.following is not None]
    except KeyError as error:
        raise ValueError(f"follower {error.args[0]} is outside the vocabulary {head.vocabulary.name!r}") from None
    # A keyword's first token follows many places: one column serves all of them.
    distinct, place = np.unique(followers, return_inverse=True)
    log_b = head.foresight.log_b(head, torch.from_numpy(distinct).to(logits.device))
    weight = torch.tensor([query.foresight for _, query in ahead], dtype=logits.dtype, device=logits.device)
    rows = torch.tensor([k for k, _ in ahead], device=logits.device)
    return logits.index_add(0, rows, weight[:, None] * log_b[torch.from_numpy(place).to(logits.device)])
