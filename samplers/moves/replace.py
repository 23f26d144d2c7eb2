"""Replace one token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samplers.language import Alphabet, RowQuery, RowReply
from samplers.moves.base import Draft, MoveWeights, Proposal
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace the token at a free position, or the closing token by another closing token.

    With m = |free(x)| + 1 places (the closing position is one), chosen uniformly, and q the
    row over the place's alphabet:

        forward  p_replace / m * q(w | x_<i, x_{i+1})
        reverse  p_replace / m * q(x_i | x_<i, x_{i+1})

    Both read the same row, so log q(x | x') - log q(x' | x) = log q(x_i | ...) - log q(w | ...).
    Nothing follows the closing position, whose row is that of the left context.
    Source: Miao et al., CGMH (AAAI 2019), section 3.3, with a row over the whole alphabet in
    place of their shortlist, which depends on the state and cannot always be undone.

    Attributes:
        epsilon: uniform share of the row.
        foresight: how much the row looks ahead (:class:`samplers.language.RowQuery`).
    """

    epsilon: float = 0.05
    foresight: float = 0.0
    name: str = "replace"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        places = [*state.free, state.end]
        position = places[int(rng.integers(len(places)))]
        closing = position == state.end

        def finish(reply: RowReply) -> Proposal:
            assert reply.token is not None and reply.log_q is not None and reply.log_q_present is not None
            return Proposal(state.replaced(position, reply.token), reply.log_q_present - reply.log_q)

        return Draft(
            RowQuery(
                position,
                self.epsilon,
                sharpness,
                Alphabet.ENDS if closing else Alphabet.INTERIOR,
                following=None if closing else state.tokens[position + 1],
                foresight=self.foresight,
                uniform=rng.random(),
                present=state.tokens[position],
            ),
            finish,
        )
