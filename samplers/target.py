"""The target: an unnormalised log-density over states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from samplers.constraints.base import Constraint
from samplers.state import State


class Potential(Protocol):
    """A soft term of the target, in nats; finite on every state."""

    def __call__(self, state: State, text: str) -> float: ...


@dataclass(frozen=True, slots=True)
class Target:
    """log pi_beta(x) = beta (log p_LM(x | context) + r |x|) + sum_k w_k potential_k(x) + sum_j log 1[constraint_j(x)].

    x includes its closing token, so a sentence that stops too soon pays for it. Hard
    constraints do not soften with temperature. With r = 0, beta = 1 is the language model
    conditioned on the constraints; a rising beta searches for its mode.

    The mode of a language model is short: every token costs. With a length reward r a token that
    costs less than r nats pays, so the search is for sentences whose mean log-prob is high (the
    word reward of machine translation: He et al., Improved Neural Machine Translation with SMT
    Features, AAAI 2016).

    Attributes:
        decode: token ids to the text that a reader sees, closing token included.
        constraints: hard constraints, all of which a state in the support satisfies.
        potentials: pairs (weight w_k, potential_k).
        length_reward: r in nats a token; |x| counts the closing token.
    """

    decode: Callable[[Sequence[int]], str]
    constraints: Sequence[Constraint] = ()
    potentials: Sequence[tuple[float, Potential]] = field(default=())
    length_reward: float = 0.0

    def admits(self, state: State) -> bool:
        """Whether the state lies in the support: every constraint holds."""
        text = self.decode(state.tokens)
        return all(constraint.violation(state, text) == 0 for constraint in self.constraints)

    def violation(self, state: State, enough: float = float("inf")) -> float:
        """Sum of the constraints' violations; 0 exactly on the support.

        The rest is left out as soon as the sum is ``enough``: a bound that callers compare it with.
        """
        text = self.decode(state.tokens)
        total = 0.0
        for constraint in self.constraints:
            total += constraint.violation(state, text)
            if total >= enough:
                break
        return total

    def log_density(self, state: State, log_prob: float, beta: float) -> float:
        """log pi_beta(x), given log p_LM(x), for a state in the support."""
        value = beta * (log_prob + self.length_reward * len(state))
        if self.potentials:
            text = self.decode(state.tokens)
            value += sum(weight * potential(state, text) for weight, potential in self.potentials)
        return value
