"""The target: an unnormalised log-density over states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samplers.constraints.base import Constraint
from samplers.objective import LOG_PROB, Objective
from samplers.potentials.base import Potential
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Target:
    """log pi_beta(x) = beta v(x) + phi(x) + sum_j log 1[constraint_j(x)].

    v is the objective. Neither the potential nor the constraints soften with temperature. x includes its closing token,
    so a sentence that stops too soon pays for it. With v = log p_LM and no potential, beta = 1 is the language model
    conditioned on the constraints; a rising beta searches for its mode.

    Attributes:
        decode: token ids to the text that a reader sees, closing token included.
        constraints: hard constraints, all of which a state in the support satisfies.
        potential: phi; :class:`~samplers.potentials.base.Product` joins several.
        objective: v.
    """

    decode: Callable[[Sequence[int]], str]
    constraints: Sequence[Constraint] = ()
    potential: Potential | None = None
    objective: Objective = LOG_PROB

    def admits(self, state: State) -> bool:
        """Whether every constraint holds."""
        text = self.decode(state.tokens)
        return all(constraint.violation(state, text) == 0 for constraint in self.constraints)

    def violation(self, state: State, enough: float = float("inf")) -> float:
        """Sum of the constraints' violations; 0 exactly where all hold.

        The rest is left out as soon as the sum is ``enough``: a bound that callers compare it with.
        """
        text = self.decode(state.tokens)
        total = 0.0
        for constraint in self.constraints:
            total += constraint.violation(state, text)
            if total >= enough:
                break
        return total

    async def log_weights(self, states: Sequence[State]) -> list[float]:
        """phi of each state in nats, equal states asked about once; zeros without a potential.

        Raises:
            ValueError: the potential's answer has another shape, a NaN or +inf.
        """
        if self.potential is None or not states:
            return [0.0] * len(states)
        distinct = list(dict.fromkeys(states))
        values = await self.potential.log_weights(distinct, [self.decode(state.tokens) for state in distinct])
        if np.shape(values) != (len(distinct),) or np.isnan(values).any() or np.isposinf(values).any():
            raise ValueError(
                f"{type(self.potential).__name__}.log_weights must give {len(distinct)} values, each finite or -inf, "
                f"and gave {values!r}"
            )
        weights = dict(zip(distinct, map(float, values), strict=True))
        return [weights[state] for state in states]

    def log_density(self, state: State, log_probs: npt.NDArray[np.float64], log_weight: float, beta: float) -> float:
        """log pi_beta(x), given log p_LM of each token and phi(x), where every constraint holds."""
        return beta * self.objective.value(log_probs) + log_weight
