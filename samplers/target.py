"""The target: an unnormalised log-density over states."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from samplers.constraints.base import Constraint
from samplers.potentials.base import Potential
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Target:
    """log pi_beta(x) = beta v(x) + phi(x) + sum_j log 1[constraint_j(x)], where

        v(x) = sum_{i <= n} (log p_LM(x_i | context, x_<i) + r + r(x_i)) + (kappa - 1) log p_LM(x_n | context, x_<n).

    x includes its closing token x_n, so a sentence that stops too soon pays for it, kappa times. Neither the
    potential nor the constraints soften with temperature. With r = 0, kappa = 1, no rewards of single tokens and no
    potential, beta = 1 is the language model conditioned on the constraints; a rising beta searches for its mode.

    The mode of a language model is short: every token costs. With a length reward r a token that
    costs less than r nats pays, so the search is for sentences whose mean log-prob is high (the
    word reward of machine translation: He et al., Improved Neural Machine Translation with SMT
    Features, AAAI 2016).

    Attributes:
        decode: token ids to the text that a reader sees, closing token included.
        constraints: hard constraints, all of which a state in the support satisfies.
        potential: phi; :class:`~samplers.potentials.base.Product` joins several.
        length_reward: r in nats a token, the closing one included.
        closing_weight: kappa >= 0, the power to which the closing token's probability is raised.
        token_rewards: r(w) in nats by token id; 0 for those left out.
    """

    decode: Callable[[Sequence[int]], str]
    constraints: Sequence[Constraint] = ()
    potential: Potential | None = None
    length_reward: float = 0.0
    closing_weight: float = 1.0
    token_rewards: Mapping[int, float] = field(default_factory=dict)

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

    def log_value(self, tokens: Sequence[int], log_probs: npt.NDArray[np.float64], closed: bool = True) -> float:
        """v of a sentence, or what a run of tokens adds to it, in nats.

        Args:
            tokens: the run.
            log_probs: of each of them.
            closed: whether the last one closes the sentence.
        """
        value = float(log_probs.sum()) + self.length_reward * len(tokens)
        if self.token_rewards:
            value += sum(self.token_rewards.get(token, 0.0) for token in tokens)
        if closed and self.closing_weight != 1.0:
            value += (self.closing_weight - 1.0) * float(log_probs[-1])
        return value

    def log_density(self, state: State, log_probs: npt.NDArray[np.float64], log_weight: float, beta: float) -> float:
        """log pi_beta(x), given log p_LM of each token and phi(x), where every constraint holds."""
        return beta * self.log_value(state.tokens, log_probs) + log_weight
