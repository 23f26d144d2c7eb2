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
        if chosen:
            rows = torch.stack([hidden[i] for i in chosen])
            replies.update(zip(chosen, _replies(output, alphabet, rows, [queries[i] for i in chosen]), strict=True))
    return [replies[i] for i in range(len(queries))]


def _replies(
    output: MaskedOutput, alphabet: Alphabet, hidden: Tensor, queries: Sequence[ProposalQuery]
) -> list[ProposalReply]:
    vocabulary = output.vocabulary
    interior, ends = vocabulary.interior, vocabulary.ends
    start, stop = {
        Alphabet.INTERIOR: (0, interior),
        Alphabet.ENDS: (interior, interior + ends),
        Alphabet.BOTH: (0, interior + ends),
        Alphabet.MASK: (0, len(vocabulary)),
    }[alphabet]
    places = [start if query.present is None else vocabulary.local.get(query.present, -1) for query in queries]
    if not all(start <= place < stop for place in places):
        raise ValueError("a row was asked for the probability of a token outside its alphabet")
    numbers = [
        (query.epsilon, query.sharpness, query.uniform or 0.0, place - start)
        for query, place in zip(queries, places, strict=True)
    ]
    # One copy to the device and one back, however many rows: a GPU is waited for at each. mps has no float64.
    device = torch.device("cpu") if hidden.device.type == "mps" else hidden.device
    asked = torch.tensor(numbers, dtype=torch.float64, device=device)
    drawn = torch.cat(
        [
            _drawn(_logits(output, hidden[at : at + MAX_ROWS], start, stop).to(device), asked[at : at + MAX_ROWS])
            for at in range(0, len(hidden), MAX_ROWS)
        ]
    )
    return [
        ProposalReply(
            None if query.uniform is None else int(vocabulary.ids[start + int(place)]),
            None if query.uniform is None else drawn_q,
            None if query.present is None else present_q,
        )
        for query, (place, drawn_q, present_q) in zip(queries, drawn.tolist(), strict=True)
    ]


def _logits(output: MaskedOutput, hidden: Tensor, start: int, stop: int) -> Tensor:
    """Logits of the local ids from ``start`` to ``stop``, (N, stop - start), float32."""
    if start == 0:
        return output.logits(hidden)[:, :stop]
    ids = torch.arange(start, stop, device=hidden.device)
    return output.logits_of(hidden.repeat_interleave(len(ids), 0), ids.repeat(len(hidden))).view(len(hidden), -1)


def _drawn(logits: Tensor, asked: Tensor) -> Tensor:
    """Draws from the rows of logits.

    Args:
        logits: (N, V).
        asked: epsilon, sharpness, uniform and the place of the present token in each row, (N, 4), float64.

    Returns:
        Place drawn, its log q and that of the present token, (N, 3), float64.
    """
    epsilon, sharpness, uniform, present = asked[:, :, None].unbind(1)
    # Weights are rounded to float32 and summed in float64: q is what is drawn from, to its last bit.
    q = (1 - epsilon) * (logits * sharpness.float()).softmax(-1).double() + epsilon / logits.shape[1]
    cdf = q.cumsum(-1)
    drawn = torch.searchsorted(cdf, uniform * cdf[:, -1:], right=True).clamp_(max=q.shape[1] - 1)
    log_q = torch.cat((q.gather(1, drawn), q.gather(1, present.long())), 1).log() - cdf[:, -1:].log()
    return torch.cat((drawn.double(), log_q), 1)
