"""Replace one token."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samplers.language import Alphabet, ProposalQuery, ProposalReply
from samplers.moves.base import Draft, MoveWeights, Proposal
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Replace:
    """Replace the token at a free position, or the closing token by another closing token.

    With m = |free(x)| + 1 places (the closing position is one), chosen uniformly, and q the
    proposal distribution over the place's alphabet:

        forward  p_replace / m * q(w | x_<i)
        reverse  p_replace / m * q(x_i | x_<i)

    Both read the same distribution, so log q(x|x') - log q(x'|x) = log q(x_i | x_<i) - log q(w | x_<i).
    Source: Miao et al., CGMH (AAAI 2019), section 3.3, with the left-context distribution in place of
    their two-sided shortlist, which depends on the state and cannot always be undone.
    """

    epsilon: float = 0.05
    name: str = "replace"
    reverse: str = "replace"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        places = [*state.free, state.end]
        position = places[int(rng.integers(len(places)))]
        alphabet = Alphabet.ENDS if position == state.end else Alphabet.INTERIOR

        def finish(reply: ProposalReply) -> Proposal:
            assert reply.token is not None and reply.log_q is not None and reply.log_q_present is not None
            return Proposal(state.replaced(position, reply.token), reply.log_q_present - reply.log_q)

        return Draft(
            ProposalQuery(
                position, self.epsilon, sharpness, alphabet, uniform=rng.random(), present=state.tokens[position]
            ),
            finish,
        )
