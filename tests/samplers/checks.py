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
    """

    states: list[State]
    pi: Matrix
    matrix: Matrix

    @classmethod
    def of(cls, law: Law, first: State) -> Exact:
        """Enumerate the law and keep what ``first`` reaches."""
        listed = law.states()
        pi = law.target(listed)
        matrix = law.matrix(listed, pi)
        labels = [x.labelled for x in listed]
        seen = reachable(matrix, labels.index((first.tokens, first.owners)))
        inside: list[Listed] = [x for x, kept in zip(listed, seen, strict=True) if kept]
        return cls([State(*x.labelled) for x in inside], pi[seen] / pi[seen].sum(), matrix[np.ix_(seen, seen)])

    def steps_to_forget(self, start: Matrix, distance: float = 0.01) -> int:
        """Steps until a chain from ``start`` is within a total variation of pi."""
        steps = 0
        while total_variation(start, self.pi) > distance:
            start = start @ self.matrix
            steps += 1
        return steps

    def independent(self, draws: int, law: Matrix | None = None) -> float:
        """Mean total variation to the law (pi unless given) of so many independent draws from it."""
        p = self.pi if law is None else law
        counts = np.random.default_rng(0).multinomial(draws, p, size=64)
        return float(np.mean([total_variation(count / draws, p) for count in counts]))


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
    """Total variation of a run to pi, and that of as many independent draws."""

    run: float
    independent: float

    @property
    def holds(self) -> bool:
        """The bound of every law test."""
        return self.run <= 2 * self.independent


def distance_to_target(
    kernel: Kernel,
    model: LanguageModel,
    exact: Exact,
    *,
    seed: int,
    chains: int = 200,
    rounds: int = 6,
    thin: int = 14,
) -> Distance:
    """Run from evenly spread first states, forget them, then count the states of every ``thin``-th step."""
    first = starts(exact, chains)
    spread = np.bincount(np.arange(chains) % len(exact.states), minlength=len(exact.states)) / chains
    forgotten = exact.steps_to_forget(spread)
    seen = visited(kernel, model, exact, first, seed, [forgotten + thin * k for k in range(1, rounds + 1)])
    empirical = np.bincount(seen.ravel(), minlength=len(exact.states)) / seen.size
    return Distance(total_variation(empirical, exact.pi), exact.independent(seen.size))


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
