"""Particle Gibbs keeps its law as it is enumerated, for one chain and for several that share a population."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from samplers.first_states import BETWEEN_KEYWORDS, Apart
from samplers.kernels.base import Chain
from samplers.kernels.particle_gibbs import ParticleGibbs
from samplers.language import LanguageModel
from samplers.run import generators, run
from samplers.segments import Segments, _Segment
from samplers.state import State
from samplers.testing import exact_law, pearson
from samplers.testing.kernel_laws import states_after
from samplers.trace import Trace
from tests.samplers.draws import blocks
from tests.samplers.spaces import MIXES, Case, cases

CASES = {case.name: case for case in cases()}


@dataclass(frozen=True)
class Still:
    """Chains that move in populations alone."""

    kernel: Any

    async def init(self, states: Sequence[State], model: LanguageModel[Any]) -> list[Chain]:
        return await self.kernel.init(states, model)

    async def advance(
        self, chains: Sequence[Chain], model: LanguageModel[Any], rngs: Sequence[np.random.Generator], total_steps: int
    ) -> list[Chain]:
        return [replace(chain, info=replace(chain.info, steps=chain.steps + 1, tries=())) for chain in chains]


DRAWN = [BETWEEN_KEYWORDS, Apart(0, 0.6), Apart(1, 0.3)]
"""As many free tokens at once as the service draws, which few of these sentences have, or fewer; and whether more."""
GROUPS = [(1, 2, 1.0, False), (3, 6, 1.0, False), (2, 5, 1.6, True)]
"""Chains together, particles, beta, potential."""


def shared(
    case: Case,
    together: int,
    particles: int,
    beta: float = 1.0,
    soft: bool = False,
    apart: Apart = BETWEEN_KEYWORDS,
) -> ParticleGibbs:
    kernel = Still(case.kernel(MIXES[case.widest], beta, soft))
    longest = max(len(listed.labelled[0]) for listed in case.space.states())
    frozen = replace(blocks(case), apart=apart)
    return ParticleGibbs(kernel, case.target(soft), frozen, longest, particles, beta, 1, together)


def stepped(kernel: ParticleGibbs, case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Numbers of exact draws and of the states two steps later, each of shape (groups, together), and the law."""
    groups = 600
    states = [State(*listed.labelled) for listed in case.space.states()]
    law = exact_law(kernel.target, case.model, states, kernel.beta)
    first = np.random.default_rng(4).choice(len(law), size=groups * kernel.together, p=law)
    number = {state: i for i, state in enumerate(states)}
    after = states_after(kernel, case.model, [states[i] for i in first], 2, seed=5)
    shape = (groups, kernel.together)
    return first.reshape(shape), np.array([number[state] for state in after]).reshape(shape), law


def deviation(counts: np.ndarray, expected: np.ndarray) -> float:
    """Standard deviations by which counts miss what is expected."""
    statistic, freedom = pearson(counts, expected)
    return float((statistic - freedom) / np.sqrt(2 * max(freedom, 1)))


def missed(after: np.ndarray, law: np.ndarray) -> float:
    """The greatest miss of a chain's law, and of that of two chains of a group, which do not know of each other."""
    groups, together = after.shape
    alone = [deviation(np.bincount(after[:, k], minlength=len(law)), groups * law) for k in range(together)]
    pairs = [
        deviation(
            np.bincount(after[:, j] * len(law) + after[:, k], minlength=len(law) ** 2),
            groups * np.outer(law, law).ravel(),
        )
        for j, k in pairwise(range(together))
    ]
    return max(alone + pairs)


@pytest.mark.parametrize(
    ("drawn", "group", "name"),
    [
        (drawn, group, name)
        for i, drawn in enumerate(DRAWN)
        for j, group in enumerate(GROUPS)
        for k, name in enumerate(CASES)
        # Every two of the three meet.
        if (i + j + k) % 2 == 0
    ],
    ids=str,
)
def test_keeps_the_law_of_each_chain_and_of_pairs(drawn: Apart, group: tuple[int, int, float, bool], name: str) -> None:
    before, after, law = stepped(shared(CASES[name], *group, drawn), CASES[name])
    assert np.mean(before != after) > 0.1
    assert missed(after, law) < 4.5


@pytest.mark.parametrize("name", CASES)
def test_forgets_where_it_began(name: str) -> None:
    case = CASES[name]
    kernel = shared(case, 2, 6)
    states = [State(*listed.labelled) for listed in case.space.states()]
    law = exact_law(kernel.target, case.model, states)
    number = {state: i for i, state in enumerate(states)}
    after = [number[state] for state in states_after(kernel, case.model, [states[0]] * 400, 5, seed=6)]
    assert deviation(np.bincount(after, minlength=len(law)), len(after) * law) < 4


def _ends_at_once(goes_on: Callable[..., bool]) -> Callable[..., bool]:
    def wrong(self: Segments, segment: _Segment) -> bool:
        retained = segment.particle.retained is not None
        return not (retained and len(segment.free) >= len(segment.given)) and goes_on(self, segment)

    return wrong


def _length_unweighted(goes_on: Callable[..., bool]) -> Callable[..., bool]:
    def wrong(self: Segments, segment: _Segment) -> bool:
        before = segment.log_drawn
        on = goes_on(self, segment)
        segment.log_drawn = before
        return on

    return wrong


@pytest.mark.parametrize(("mistake", "go_on"), [(_ends_at_once, 0.7), (_length_unweighted, 0.3)])
def test_a_mistake_in_what_is_retained_is_seen(
    mistake: Callable[..., Callable[..., bool]], go_on: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What stands would have been drawn beyond its place too, and how many are drawn has a probability."""
    monkeypatch.setattr(Segments, "_goes_on", mistake(Segments._goes_on))
    case = CASES["duplicates"]
    _, after, law = stepped(shared(case, 1, 2, apart=Apart(0, go_on)), case)
    assert missed(after, law) > 6


def test_chains_that_may_share_a_line_know_of_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(
        self: ParticleGibbs, own: Sequence[int], lines: np.ndarray, weights: np.ndarray, rng: np.random.Generator
    ) -> list[int]:
        return [int(number) for number in rng.choice(len(weights), len(own), p=weights)]

    monkeypatch.setattr(ParticleGibbs, "_one_each", careless)
    case = CASES["duplicates"]
    _, after, law = stepped(shared(case, 2, 4), case)
    assert missed(after, law) > 6


def test_what_no_particle_grows_into_stays() -> None:
    case = CASES["unordered"]
    states = [State(*listed.labelled) for listed in case.space.states()]
    longest = max(states, key=len)
    kernel = replace(shared(case, 2, 6), max_tokens=len(longest) - 1)
    assert states_after(kernel, case.model, [longest, states[0]], 5, seed=1) == [longest, states[0]]


def test_populations_are_counted_and_seen_by_the_trace() -> None:
    async def go() -> None:
        case, trace = CASES["duplicates"], Trace()
        kernel = replace(
            shared(case, 4, 12), kernel=replace(case.kernel(MIXES[case.widest], 1.0), lookahead=3), every=5
        )
        async for step in run(kernel, case.model, [case.first] * 8, generators(1, 8), 40):
            trace.add(step)
            assert [visit.state for visit in trace.last] == [chain.state for chain in step.chains]
        count = trace.moves[kernel.name]
        assert count.tried == count.proposed == 8 * 8 and count.acceptance > 0.5

    asyncio.run(go())


def test_what_is_no_population_is_refused() -> None:
    case = CASES["duplicates"]
    with pytest.raises(ValueError, match="more particles than chains"):
        shared(case, 3, 3)
    with pytest.raises(ValueError, match="whole groups"):
        asyncio.run(shared(case, 3, 6).init([case.first] * 4, case.model))
