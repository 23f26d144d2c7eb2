"""Laws of kernels."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from samplers.kernels.base import Kernel
from samplers.language import LanguageModel
from samplers.run import generators, run
from samplers.state import State
from samplers.target import Target
from samplers.testing.toy import ToyLanguage


def exact_law(
    target: Target, model: LanguageModel[Any], states: Sequence[State], beta: float = 1.0
) -> npt.NDArray[np.float64]:
    """pi_beta of each state, normalised over the states given, shape (n,)."""

    async def log_densities() -> list[float]:
        scored = await model.score([state.tokens for state in states], [None] * len(states))
        log_weights = await target.log_weights(states)
        return [
            target.log_density(state, score.log_probs, log_weight, beta)
            for state, score, log_weight in zip(states, scored, log_weights, strict=True)
        ]

    values = np.array(asyncio.run(log_densities()))
    weights = np.exp(values - values.max())
    return np.asarray(weights / weights.sum())


def states_after(
    kernel: Kernel, model: LanguageModel[Any], first: Sequence[State], steps: int, seed: int
) -> list[State]:
    """The state of each chain after so many steps."""

    async def last() -> list[State]:
        states: list[State] = []
        async for step in run(kernel, model, first, generators(seed, len(first)), steps):
            states = [chain.state for chain in step.chains]
        return states

    return asyncio.run(last())


def pearson(observed: npt.NDArray[Any], expected: npt.NDArray[np.float64]) -> tuple[float, int]:
    """Pearson's statistic of counts and its degrees of freedom, cells of expectation below 5 pooled.

    Infinite if a cell of no probability was met.
    """
    if observed[expected <= expected.sum() * 1e-12].any():
        return float("inf"), 1
    rare = expected < 5
    observed, expected = (np.append(part[~rare], part[rare].sum()) for part in (observed.astype(float), expected))
    filled = expected > 0.5
    return float(((observed - expected)[filled] ** 2 / expected[filled]).sum()), int(filled.sum()) - 1


class KernelLaws:
    """A kernel keeps the law of its target, forgets where it began, and repeats itself by its seed.

    Attributes:
        kernel: under test, at one beta.
        target: whose law it keeps.
        states: every state of positive density that a chain can reach from the first of them.
        outside: a state of density 0, or None where there is none.
        beta: inverse temperature.
        model: the language model.
        chains: run side by side.
        steps: after which the law must still hold, when chains start from it.
        steps_to_forget: after which the law must hold, wherever chains start.
    """

    kernel: Kernel
    target: Target
    states: Sequence[State]
    outside: State | None = None
    beta: float = 1.0
    model: LanguageModel[Any] = ToyLanguage()
    chains: int = 1500
    steps: int = 4
    steps_to_forget: int = 60

    def _deviation(self, first: Sequence[State], steps: int) -> float:
        """Standard deviations by which the states after so many steps miss the law."""
        number = {state: i for i, state in enumerate(self.states)}
        after = [number[state] for state in states_after(self.kernel, self.model, first, steps, seed=3)]
        law = exact_law(self.target, self.model, self.states, self.beta)
        statistic, freedom = pearson(np.bincount(after, minlength=len(law)), len(first) * law)
        return float((statistic - freedom) / np.sqrt(2 * max(freedom, 1)))

    def test_keeps_the_law(self) -> None:
        law = exact_law(self.target, self.model, self.states, self.beta)
        drawn = np.random.default_rng(2).choice(len(law), size=self.chains, p=law)
        assert self._deviation([self.states[i] for i in drawn], self.steps) < 4

    def test_forgets_where_it_began(self) -> None:
        assert self._deviation([self.states[0]] * (self.chains // 4), self.steps_to_forget) < 4

    def test_the_seed_decides(self) -> None:
        first = [self.states[0]] * 8
        once, again, other = (states_after(self.kernel, self.model, first, 30, seed) for seed in (5, 5, 6))
        assert once == again != other
        assert len(set(once)) > 1, "chains share their randomness"

    def test_neighbours_change_no_chain(self) -> None:
        many = states_after(self.kernel, self.model, [self.states[0]] * 5, 30, seed=5)
        assert states_after(self.kernel, self.model, [self.states[0]] * 2, 30, seed=5) == many[:2]

    def test_density_zero_is_refused(self) -> None:
        if self.outside is None:
            return
        try:
            asyncio.run(self.kernel.init([self.states[0], self.outside], self.model))
        except ValueError:
            return
        raise AssertionError(f"{self.outside} has density 0 and was not refused")
