"""Objectives: what a sentence is worth by its tokens' log-probabilities alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SURPRISAL_UNIT = 3.0
"""s_0 in nats: the surprisal that costs the same under every power, about that of a token of plain prose."""


@dataclass(frozen=True, slots=True)
class Objective:
    """A sum over tokens that a sentence's log-density is beta times, besides potential and constraints:

        v(x) = sum_{i <= n} (r - s_i (s_i / s_0)^(k - 1)) - (kappa - 1) s_n,    s_i = -log p_LM(x_i | context, x_<i).

    With r = 0, k = 1 and kappa = 1 it is log p_LM(x). The mode of a language model is short, since every token costs,
    and puts up with one or two tokens that nobody would write. A power k > 1 of the surprisals s_i makes such a token
    dear and an ordinary one cheap, so that a sentence grows until its words come as expected (uniform information
    density: Levy and Jaeger, Speakers optimize information density through syntactic reduction, NIPS 2006; as an
    objective, its squared regulariser: Meister, Cotterell and Vieira, If beam search is the answer, what was the
    question?, EMNLP 2020). A length reward r pays for each token (the word reward of machine translation: He et al.,
    Improved neural machine translation with SMT features, AAAI 2016).

    Attributes:
        length_reward: r in nats a token, the closing one included.
        surprisal_power: k >= 1.
        closing_weight: kappa >= 0, the times that the closing token x_n counts.
    """

    length_reward: float = 0.0
    surprisal_power: float = 1.0
    closing_weight: float = 1.0

    def value(self, log_probs: npt.NDArray[np.float64], closed: bool = True) -> float:
        """v of a sentence, or what a run of tokens adds to it, in nats.

        Args:
            log_probs: of each token, shape (n,).
            closed: whether the last one closes the sentence.
        """
        log_probs = np.asarray(log_probs, dtype=np.float64)
        costs = log_probs
        if self.surprisal_power != 1.0:
            costs = log_probs * np.abs(log_probs / SURPRISAL_UNIT) ** (self.surprisal_power - 1.0)
        value = float(costs.sum()) + self.length_reward * len(log_probs)
        if closed and self.closing_weight != 1.0:
            value += (self.closing_weight - 1.0) * float(log_probs[-1])
        return value


LOG_PROB = Objective()
"""The language model itself."""
