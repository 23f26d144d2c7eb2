"""Draw a few neighbouring free tokens again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

import numpy as np

from samplers.language import ProposalQuery, ProposalReply
from samplers.moves.base import MoveWeights, Proposal, Round
from samplers.state import FREE, State


@dataclass(frozen=True, slots=True)
class RedrawSpan:
    """Exchange l neighbouring free tokens z for k tokens y, drawn one after the other.

    The pair (l, k) is chosen uniformly among those of 1 to ``most`` each but (1, 1), which is a replacement, and the
    span uniformly among the s_l(x) runs of l free tokens that stand side by side:

        forward  p_redraw_span / pairs / s_l(x)  * prod_{0 <= j < k} q(y_j | x_<i y_<j)
        reverse  p_redraw_span / pairs / s_k(x') * prod_{0 <= j < l} q(z_j | x_<i z_<j)

    At beta = 1 what remains of the ratio is the likelihood of the right side, of which the first of two
    stages of acceptance reads two tokens. Particle Gibbs with K particles
    would be K such tries at the price of each: the draws are the model's own, so the weights are equal until the
    right side is read, and there is nothing to resample by.

    Attributes:
        most: longest span, >= 2.
        epsilon: uniform share of the proposal distributions.
    """

    most: int = 3
    epsilon: float = 0.01
    name: str = "redraw_span"
    reverse: str = "redraw_span"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Round | None:
        numbers = range(1, self.most + 1)
        pairs = [(old, new) for old in numbers for new in numbers if (old, new) != (1, 1)]
        length, new_length = pairs[int(rng.integers(len(pairs)))]
        places = _runs(state, length)
        if not places:
            return None
        start = places[int(rng.integers(len(places)))]
        span = slice(start, start + length)
        uniforms = [rng.random() for _ in range(new_length)]

        def go_on(written: tuple[int, ...], ratio: float, reply: ProposalReply) -> Proposal | Round:
            assert reply.token is not None and reply.log_q is not None
            ratio -= reply.log_q
            after = (*written, reply.token)
            if len(after) == new_length:
                redrawn = state.spliced(span, after, FREE)
                return Proposal(redrawn, ratio + log(len(places)) - log(len(_runs(redrawn, new_length))), local=True)
            query = ProposalQuery(start + len(after), self.epsilon, sharpness, uniform=uniforms[len(after)])
            return Round(
                (query,),
                lambda replies: go_on(after, ratio, replies[0]),
                (*state.tokens[:start], *after, state.tokens[-1]),
            )

        def finish(replies: Sequence[ProposalReply]) -> Proposal | Round:
            back = sum(reply.log_q_present for reply in replies if reply.log_q_present is not None)
            return go_on((), back, replies[0])

        asked = [
            ProposalQuery(
                i, self.epsilon, sharpness, uniform=uniforms[0] if i == start else None, present=state.tokens[i]
            )
            for i in range(span.start, span.stop)
        ]
        return Round(asked, finish)


def _runs(state: State, length: int) -> list[int]:
    """Beginnings of the runs of so many free tokens side by side."""
    run = (FREE,) * length
    return [i for i in range(state.end - length + 1) if state.owners[i : i + length] == run]
