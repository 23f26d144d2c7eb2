"""Draws from proposal distributions."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from models.language.forward.masked_output import MaskedOutput
from samplers.language import Alphabet, ProposalQuery, ProposalReply

MAX_ROWS = 128
"""Most rows drawn at a time: one over 50,000 tokens takes 2 MB in float64, several times over."""


def draw(output: MaskedOutput, hidden: Sequence[Tensor], queries: Sequence[ProposalQuery]) -> list[ProposalReply]:
    """Replies to queries; see :class:`samplers.language.ProposalQuery` for the distribution.

    A token is drawn by inverse CDF in float64 from the query's own uniform, so neither the device
    nor the batch has a part in the draw.

    Args:
        output: the vocabulary.
        hidden: for each query the hidden state that predicts its position, (d,).
        queries: as many.

    Raises:
        ValueError: a query's ``present`` token is not of its alphabet.
    """
    replies: dict[int, ProposalReply] = {}
    for alphabet in Alphabet:
        chosen = [i for i, query in enumerate(queries) if query.alphabet is alphabet]
        for at in range(0, len(chosen), MAX_ROWS):
            part = chosen[at : at + MAX_ROWS]
            asked = [queries[i] for i in part]
            rows = torch.stack([hidden[i] for i in part])
            replies.update(zip(part, _draw(output, alphabet, rows, asked), strict=True))
    return [replies[i] for i in range(len(queries))]


def _draw(
    output: MaskedOutput, alphabet: Alphabet, hidden: Tensor, queries: Sequence[ProposalQuery]
) -> list[ProposalReply]:
    vocabulary, device = output.vocabulary, hidden.device
    if alphabet is not Alphabet.ENDS:
        stop = vocabulary.interior + (vocabulary.ends if alphabet is Alphabet.BOTH else 0)
        start, logits = 0, output.logits(hidden)[:, :stop]
    else:
        start = vocabulary.interior
        ends = torch.arange(start, start + vocabulary.ends, device=device)
        logits = output.logits_of(hidden.repeat_interleave(len(ends), 0), ends.repeat(len(hidden))).view(
            len(hidden), -1
        )
    if device.type == "mps":  # which has no float64
        logits = logits.cpu()
        device = logits.device
    epsilon, sharpness = (
        torch.tensor(values, dtype=torch.float64, device=device)[:, None]
        for values in ([query.epsilon for query in queries], [query.sharpness for query in queries])
    )
    # Weights are rounded to float32 and summed in float64: q is what is drawn from, to its last bit.
    q = (1 - epsilon) * (logits * sharpness.float()).softmax(-1).double() + epsilon / logits.shape[1]
    cdf = q.cumsum(-1)
    uniform = torch.tensor([query.uniform or 0.0 for query in queries], dtype=torch.float64, device=device)
    drawn = torch.searchsorted(cdf, (uniform[:, None] * cdf[:, -1:]), right=True).clamp_(max=q.shape[1] - 1)
    places = [0 if query.present is None else vocabulary.local.get(query.present, -1) - start for query in queries]
    if not all(0 <= place < q.shape[1] for place in places):
        raise ValueError("a row was asked for the probability of a token outside its alphabet")
    present = torch.tensor(places, device=device)[:, None]
    log_q = torch.cat((q.gather(1, drawn), q.gather(1, present)), 1).log() - cdf[:, -1:].log()
    return [
        ProposalReply(
            None if query.uniform is None else int(vocabulary.ids[start + token]),
            None if query.uniform is None else drawn_q,
            None if query.present is None else present_q,
        )
        for query, token, (drawn_q, present_q) in zip(queries, drawn[:, 0].tolist(), log_q.tolist(), strict=True)
    ]
