"""Delete a token."""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import numpy as np

from samplers.language import ProposalQuery, ProposalReply
from samplers.moves.base import Draft, MoveWeights, Proposal
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete a free token; :class:`~samplers.moves.insert.Insert` is its reverse.

    forward  p_delete / |free(x)|
    reverse  p_insert / |gaps(x')| * q(x_i | x'_<i),   x'_<i = x_<i
    """

    epsilon: float = 0.05
    name: str = "delete"
    reverse: str = "insert"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        free = state.free
        if not free:
            return None
        position = free[int(rng.integers(len(free)))]
        shorter = state.deleted(position)
        log_ratio = log(weights[self.reverse]) - log(len(shorter.gaps)) - log(weights[self.name]) + log(len(free))

        def finish(reply: ProposalReply) -> Proposal:
            assert reply.log_q_present is not None
            return Proposal(shorter, log_ratio + reply.log_q_present)

        return Draft(ProposalQuery(position, self.epsilon, sharpness, present=state.tokens[position]), finish)
