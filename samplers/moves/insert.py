"""Insert a token."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from samplers.language import ProposalQuery, ProposalReply
from samplers.moves.base import Draft, MoveWeights, Proposal
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Insert:
    """Insert a free token in a gap; :class:`~samplers.moves.delete.Delete` is its reverse.

        forward  p_insert / |gaps(x)| * q(w | x_<g)
        reverse  p_delete / |free(x')|,   |free(x')| = |free(x)| + 1

    The same x' may be reached from two gaps (beside an equal token). Each of these paths is
    balanced against its own reverse path, so their sum is balanced too.
    """

    epsilon: float = 0.05
    name: str = "insert"
    reverse: str = "delete"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        gaps = state.gaps
        gap = gaps[int(rng.integers(len(gaps)))]
        log_ratio = log(weights[self.reverse]) - log(len(state.free) + 1) - log(weights[self.name]) + log(len(gaps))

        def finish(reply: ProposalReply) -> Proposal:
            assert reply.token is not None and reply.log_q is not None
            return Proposal(state.inserted(gap, reply.token), log_ratio - reply.log_q)

        return Draft(ProposalQuery(gap, self.epsilon, sharpness, uniform=rng.random()), finish)
