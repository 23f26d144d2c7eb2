"""The objective as a request may set it: what a sentence is worth by its log-probs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, FiniteFloat

from app.web.schemas import Strict
from samplers.objective import Objective

SEARCHED = Objective(length_reward=0.75, surprisal_power=1.5, closing_weight=5.0)
"""What annealing searches for unless told otherwise, chosen by blind reading (docs/sampling.md, "Choosing")."""

Reward = Annotated[
    FiniteFloat, Field(ge=-100, le=100, description="nats added for every token: above 0, sentences are longer")
]
SurprisalPower = Annotated[
    FiniteFloat,
    Field(
        ge=1,
        le=4,
        description="power of each token's surprisal: above 1, no token may be unexpected, and ordinary ones cost "
        "little; 1 is the model's own law",
    ),
]
ClosingWeight = Annotated[
    FiniteFloat,
    Field(
        ge=0,
        le=100,
        description="times that the closing token's log-prob counts: above 1, whether the sentence is complete there",
    ),
]


class ObjectiveOptions(Strict):
    """Options of samplers whose objective is free; as they stand it is the model's log-probability."""

    length_reward: Reward = 0.0
    surprisal_power: SurprisalPower = 1.0
    closing_weight: ClosingWeight = 1.0

    @property
    def objective(self) -> Objective:
        """The objective of these options."""
        return Objective(self.length_reward, self.surprisal_power, self.closing_weight)
