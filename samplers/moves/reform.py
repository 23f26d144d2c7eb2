"""Change the form of a keyword."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from samplers.language import ProposalReply
from samplers.moves.base import Draft, MoveWeights, Proposal
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Reform:
    """Change a keyword's block for another of its listed forms (an inflection, say).

    Uniform over the r keywords that have several forms, then over the keyword's f - 1 other
    forms; neither number changes with the state:

        forward = reverse = p_reform / (r (f - 1))

    Attributes:
        forms: for each keyword the token sequences of its forms, all distinct.

    Raises:
        ValueError: a form is listed twice, which would make it likelier to go there than back.
    """

    forms: Sequence[Sequence[tuple[int, ...]]]
    name: str = "reform"
    reverse: str = "reform"

    def __post_init__(self) -> None:
        for keyword, forms in enumerate(self.forms):
            if len(set(forms)) < len(forms):
                raise ValueError(f"keyword {keyword} lists a form twice")

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        several = [keyword for keyword, forms in enumerate(self.forms) if len(forms) > 1]
        if not several:
            return None
        keyword = several[int(rng.integers(len(several)))]
        span = state.block(keyword)
        others = [form for form in self.forms[keyword] if form != state.tokens[span]]
        reformed = state.spliced(span, others[int(rng.integers(len(others)))], keyword)

        def finish(reply: ProposalReply) -> Proposal:
            return Proposal(reformed, 0.0)

        return Draft(None, finish)
