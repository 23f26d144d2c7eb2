"""The driver: one async generator on which streaming, traces and cancelling hang."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import numpy as np

from samplers.kernels.base import Chain, Kernel
from samplers.language import LanguageModel
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Step:
    """All chains after one step.

    Attributes:
        number: 0 for the first states, then 1, 2, ...
        chains: one entry a chain, in a fixed order.
    """

    number: int
    chains: Sequence[Chain]


async def run(
    kernel: Kernel,
    model: LanguageModel,
    states: Sequence[State],
    rngs: Sequence[np.random.Generator],
    steps: int,
) -> AsyncGenerator[Step]:
    """Run chains from the given states and yield after every step, the first states included.

    Closing the generator stops the chains before their next step.

    Args:
        kernel: the Markov kernel.
        model: the language model.
        states: one first state a chain, each in the support of the target.
        rngs: one generator a chain; the same generators in the same state give the same run.
        steps: how many steps, >= 0.

    Raises:
        ValueError: a first state lies outside the support, or the counts differ.
    """
    if len(states) != len(rngs):
        raise ValueError(f"{len(states)} states but {len(rngs)} generators")
    chains = await kernel.init(states, model)
    yield Step(0, chains)
    for number in range(1, steps + 1):
        chains = await kernel.step(number, chains, model, rngs)
        yield Step(number, chains)


def generators(seed: int, chains: int) -> list[np.random.Generator]:
    """Independent generators, one a chain; chain i's stream does not depend on ``chains``."""
    return [np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(i,)))) for i in range(chains)]
