"""The driver: one asynchronous generator over the steps of many chains."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from samplers.kernels.base import Chain, Kernel
from samplers.language import LanguageModel
from samplers.outcome import Outcome
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Step:
    """All chains after an advance.

    Attributes:
        number: steps that every chain has taken at least; 0 for the first states.
        chains: one entry a chain, in a fixed order.
        outcome: of a sampler whose draws are not chains.
        whole: whether the chains stand at sentences of the support, not at beginnings of such.
    """

    number: int
    chains: Sequence[Chain]
    outcome: Outcome | None = None
    whole: bool = True


async def run(
    kernel: Kernel,
    model: LanguageModel[Any],
    states: Sequence[State],
    rngs: Sequence[np.random.Generator],
    steps: int,
) -> AsyncGenerator[Step]:
    """Run chains from the given states and yield after every advance, the first states included.

    With a kernel that looks ahead an advance takes a chain no step, one or several, so chains may
    be some steps apart on the way; all end at ``steps``. Closing the generator stops the chains
    before their next advance.

    Args:
        kernel: the Markov kernel.
        model: the language model.
        states: one first state a chain, each in the support of the target.
        rngs: one generator a chain; the same generators in the same state give the same run.
        steps: how many steps, >= 0.

    Raises:
        ValueError: a first state lies outside the support, there is none, or the counts differ.
    """
    if not states or len(states) != len(rngs):
        raise ValueError(f"{len(states)} states and {len(rngs)} generators: give one of each for every chain")
    chains = await kernel.init(states, model)
    yield Step(0, chains)
    while min(chain.steps for chain in chains) < steps:
        chains = await kernel.advance(chains, model, rngs, steps)
        yield Step(min(chain.steps for chain in chains), chains)


def generators(seed: int, chains: int) -> list[np.random.Generator]:
    """Independent generators, one a chain; chain i's stream does not depend on ``chains``."""
    return [generator(seed, i) for i in range(chains)]


def generator(seed: int, number: int) -> np.random.Generator:
    """The generator of one chain, or of one draw."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=(number,))))
