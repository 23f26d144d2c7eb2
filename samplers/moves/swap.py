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
    """

    name: str = "swap"
    reverse: str = "swap"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        keywords = state.keywords
        if len(keywords) < 2:
            return None
        first, second = sorted(int(i) for i in rng.choice(len(keywords), size=2, replace=False))
        left, right = state.block(keywords[first]), state.block(keywords[second])
        tokens, owners = state.tokens, state.owners
        swapped = State(
            tokens[: left.start]
            + tokens[right]
            + tokens[left.stop : right.start]
            + tokens[left]
            + tokens[right.stop :],
            owners[: left.start]
            + owners[right]
            + owners[left.stop : right.start]
            + owners[left]
            + owners[right.stop :],
        )

        def finish(reply: ProposalReply) -> Proposal:
            return Proposal(swapped, 0.0)

        return Draft(None, finish)
