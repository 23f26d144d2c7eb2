"""Swap two keywords."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samplers.language import ProposalReply
from samplers.moves.base import Draft, MoveWeights, Proposal
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Swap:
    """Exchange the places of two keyword blocks, for keywords without an order.

    An unordered pair of the m keywords is chosen uniformly:

        forward = reverse = p_swap * 2 / (m (m - 1))

    Attributes:
        among: only blocks numbered below it are exchanged; None for all.
    """

    name: str = "swap"
    reverse: str = "swap"
    among: int | None = None

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        keywords = [keyword for keyword in state.keywords if self.among is None or keyword < self.among]
        if len(keywords) < 2:
            return None
        first, second = (keywords[i] for i in sorted(rng.choice(len(keywords), size=2, replace=False)))
        left, right = state.block(first), state.block(second)
        # From the right, so that the positions on the left still hold.
        swapped = state.spliced(right, state.tokens[left], first).spliced(left, state.tokens[right], second)

        def finish(reply: ProposalReply) -> Proposal:
            return Proposal(swapped, 0.0)

        return Draft(None, finish)
