"""Measurements of a running kernel against its exact law."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from samplers.kernels.base import Kernel
from samplers.language import LanguageModel
from samplers.run import generators, run
from samplers.state import State
from samplers.testing import pearson
from tests.samplers.enumeration import Law, Listed, Matrix, reachable, total_variation


@dataclass(frozen=True)
class Exact:
    """The class of states that a chain from a first state can reach, with its law.

    Attributes:
        states: as the product writes them.
        pi: the target on the class, normalised over it.
        matrix: the kernel's transitions within the class.
        whole: target and transitions of all states of the law, whatever class they are of.
    """

    states: list[State]
    pi: Matrix
    matrix: Matrix
    whole: tuple[Matrix, Matrix]

    @classmethod
    def of(cls, law: Law, first: State) -> Exact:
        """Enumerate the law and keep what ``first`` reaches."""
        listed = law.states()
        pi = law.target(listed)
        matrix = law.matrix(listed, pi)
        labels = [x.labelled for x in listed]
        seen = reachable(matrix, labels.index((first.tokens, first.owners)))
        inside: list[Listed] = [x for x, kept in zip(listed, seen, strict=True) if kept]
        return cls(
            [State(*x.labelled) for x in inside], pi[seen] / pi[seen].sum(), matrix[np.ix_(seen, seen)], (pi, matrix)
        )

    def steps_to_forget(self, start: Matrix, distance: float = 0.01) -> int:
        """Steps until a chain from ``start`` is within a total variation of pi."""
        steps = 0
        while total_variation(start, self.pi) > distance:
            start = start @ self.matrix
            steps += 1
        return steps

    def steps_apart(self, correlation: float = 0.1) -> int:
        """Steps after which no function of the state is more correlated with itself; by the second eigenvalue."""
        sizes = np.sort(np.abs(np.linalg.eigvals(self.matrix)))
        return int(np.ceil(np.log(correlation) / np.log(sizes[-2]))) if len(sizes) > 1 and sizes[-2] > 0 else 1

    def independent(self, draws: int, law: Matrix | None = None) -> float:
        """Mean total variation to the law (pi unless given) of so many independent draws from it."""
        return float(self._distances(draws, self.pi if law is None else law, 64).mean())

    def extreme(self, draws: int) -> float:
        """Total variation to pi that one in a thousand sets of so many independent draws reaches."""
        return float(self._distances(draws, self.pi, 1000).max())

    def _distances(self, draws: int, law: Matrix, times: int) -> Matrix:
        counts = np.random.default_rng(0).multinomial(draws, law, size=times)
        return np.array([total_variation(count / draws, law) for count in counts])


def starts(exact: Exact, chains: int) -> list[State]:
    """First states spread evenly over the class: far from pi, but not far to go."""
    return [exact.states[i % len(exact.states)] for i in range(chains)]


def visited(
    kernel: Kernel, model: LanguageModel, exact: Exact, first: Sequence[State], seed: int, keep: Sequence[int]
) -> npt.NDArray[np.int64]:
    """Numbers of the states at the kept steps of a run, shape (len(keep), chains).

    A chain is read at fixed steps. Where the kernel looks ahead, an advance ends as soon as a
    chain moves, so what stands at the end of an advance is not what stands at a given step.

    A state outside the class fails the test that asks: the kernel went where it must not.
    """
    number = {state: i for i, state in enumerate(exact.states)}
    column = {step: k for k, step in enumerate(keep)}
    seen = np.full((len(keep), len(first)), -1)

    async def collect() -> None:
        stand = [(0, number[state]) for state in first]
        async for step in run(kernel, model, first, generators(seed, len(first)), max(keep)):
            for i, chain in enumerate(step.chains):
                before, old = stand[i]
                stand[i] = chain.steps, number[chain.state]
                for t in range(before + 1, chain.steps):
                    if t in column:
                        seen[column[t], i] = old
                if chain.steps in column:
                    seen[column[chain.steps], i] = stand[i][1]

    asyncio.run(collect())
    assert (seen >= 0).all()
    return seen


@dataclass(frozen=True, slots=True)
class Distance:
    """Total variation of a run to pi, that of as many independent draws on average, and one that these seldom reach."""

    run: float
    independent: float
    extreme: float

    @property
    def holds(self) -> bool:
        """The bound of every law test: twice the average, or of few states, whose average says less, the extreme."""
        return self.run <= max(2 * self.independent, self.extreme)


def distance_to_target(
    kernel: Kernel,
    model: LanguageModel,
    exact: Exact,
    *,
    seed: int,
    chains: int = 200,
    rounds: int = 6,
) -> Distance:
    """Run from evenly spread first states, forget them, then count the states of every ``thin``-th step.

    Of few states the share of each is a slow function of the chain, so their steps are counted further apart.
    """
    thin = max(14, exact.steps_apart()) if len(exact.states) < 10 else 14
    first = starts(exact, chains)
    spread = np.bincount(np.arange(chains) % len(exact.states), minlength=len(exact.states)) / chains
    forgotten = exact.steps_to_forget(spread)
    seen = visited(kernel, model, exact, first, seed, [forgotten + thin * k for k in range(1, rounds + 1)])
    empirical = np.bincount(seen.ravel(), minlength=len(exact.states)) / seen.size
    return Distance(total_variation(empirical, exact.pi), exact.independent(seen.size), exact.extreme(seen.size))


def one_step_deviation(kernel: Kernel, model: LanguageModel, exact: Exact, *, seed: int, tries: int = 200) -> float:
    """Standard deviations by which one-step frequencies from every state miss the rows of the matrix.

    Pearson's statistic over all rows, cells of expectation below 5 pooled within their row,
    as a normal deviate: (X - k) / sqrt(2 k) for k degrees of freedom.
    """
    size = len(exact.states)
    first = [state for state in exact.states for _ in range(tries)]
    seen = visited(kernel, model, exact, first, seed, [1])[0].reshape(size, tries)
    statistic, freedom = 0.0, 0
    for row, after in zip(exact.matrix, seen, strict=True):
        more, cells = pearson(np.bincount(after, minlength=size), tries * row)
        statistic += more
        freedom += cells
    return (statistic - freedom) / (2 * max(freedom, 1)) ** 0.5
