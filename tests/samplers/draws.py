"""Measurements of draws that are no chains against the exact law."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass

import numpy as np

from samplers.first_states import KeywordBlocks
from samplers.run import Step
from samplers.state import State
from samplers.testing.toy import ENDS, INTERIOR
from tests.samplers.enumeration import Matrix
from tests.samplers.spaces import MIXES, Case


def free(token: int) -> bool:
    """Whether a toy token may stand outside blocks."""
    return token in INTERIOR


def closes(token: int) -> bool:
    """Whether a toy token closes a sentence."""
    return token in ENDS


def blocks(case: Case) -> KeywordBlocks:
    """The keywords of a case."""
    return KeywordBlocks(case.space.forms, case.space.ordered, ENDS[0])


@dataclass(frozen=True)
class Whole:
    """The whole law of a case, not only what a chain reaches.

    Attributes:
        states: of positive density.
        pi: normalised.
        log_z: log of the sum of the densities, in nats.
    """

    states: list[State]
    pi: Matrix
    log_z: float

    @classmethod
    def of(cls, case: Case, beta: float = 1.0, soft: bool = False) -> Whole:
        """Enumerate a case."""
        law = case.law(MIXES[case.widest], beta, soft)
        listed = law.states()
        logs = [law.heated(x.tokens) + law.potential(x.tokens) for x in listed]
        return cls([State(*x.labelled) for x in listed], law.target(listed), float(np.log(np.exp(logs).sum())))

    def shares(self, states: Sequence[State], weights: Sequence[float] | None = None) -> Matrix:
        """Weight of each state among draws; a state outside the support fails the test that asks."""
        number = {state: i for i, state in enumerate(self.states)}
        counts = np.bincount([number[state] for state in states], weights, minlength=len(self.states))
        return np.asarray(counts / counts.sum())


def last_of(steps: AsyncGenerator[Step]) -> Step:
    """The last step of a run."""

    async def go() -> Step:
        last = None
        async for step in steps:
            last = step
        assert last is not None
        return last

    return asyncio.run(go())
