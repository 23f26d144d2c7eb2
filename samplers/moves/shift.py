"""Move a keyword to another place."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samplers.language import ProposalReply
from samplers.moves.base import Draft, MoveWeights, Proposal
from samplers.state import FREE, State


@dataclass(frozen=True, slots=True)
class Shift:
    """Move a keyword's block to another gap; where keywords are ordered, to one between its neighbours.

    Uniform over the m keywords, then over the g - 1 gaps of the sentence without the block but that where it stood.
    The move leaves that sentence alone, so both numbers stay:

        forward = reverse = p_shift / (m (g - 1))

    Attributes:
        ordered: whether the keywords keep their order.
    """

    ordered: bool = False
    name: str = "shift"
    reverse: str = "shift"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        keywords = state.keywords
        if not keywords:
            return None
        at = int(rng.integers(len(keywords)))
        block = state.block(keywords[at])
        rest = state.spliced(block, (), FREE)
        least = rest.block(keywords[at - 1]).stop if self.ordered and at else 0
        most = rest.block(keywords[at + 1]).start if self.ordered and at + 1 < len(keywords) else rest.end
        gaps = [gap for gap in rest.gaps if least <= gap <= most and gap != block.start]
        if not gaps:
            return None
        gap = gaps[int(rng.integers(len(gaps)))]
        shifted = rest.spliced(slice(gap, gap), state.tokens[block], keywords[at])

        def finish(reply: ProposalReply) -> Proposal:
            return Proposal(shifted, 0.0, local=True)

        return Draft(None, finish)
