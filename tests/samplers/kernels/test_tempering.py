"""Replica exchange: each chain keeps the law of its own beta."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from samplers.kernels.base import Chain
from samplers.kernels.tempering import Tempering, rungs
from samplers.run import generators, run
from samplers.testing import pearson
from samplers.trace import Trace
from tests.samplers.checks import Exact, visited
from tests.samplers.enumeration import total_variation
from tests.samplers.spaces import MIXES, Case, cases

LADDER = (1.0, 0.5, 0.2)
CASES = {case.name: case for case in cases()}


def tempering(case: Case, soft: bool = False, delayed: int = 0, every: int = 2, lookahead: int = 1) -> Tempering:
    kernel = replace(case.kernel(MIXES[case.widest], 1.0, soft, delayed), schedule=rungs(LADDER), lookahead=lookahead)
    return Tempering(kernel, case.target(soft), LADDER, every)


def of_rungs(case: Case, soft: bool = False) -> list[Exact]:
    return [Exact.of(case.law(MIXES[case.widest], beta, soft), case.first) for beta in LADDER]


def deviations(kernel: Tempering, case: Case, soft: bool = False) -> list[float]:
    """Standard deviations by which each rung misses its law, of chains that start from it: a wrong exchange shows."""
    groups, steps = 500, 8
    exact, rng = of_rungs(case, soft), np.random.default_rng(2)
    drawn = np.array([rng.choice(len(one.pi), size=groups, p=one.pi) for one in exact])
    first = [exact[0].states[i] for i in drawn.T.ravel()]
    seen = visited(kernel, case.model, exact[0], first, 3, [steps])[0].reshape(groups, len(LADDER))
    found = []
    for rung, one in enumerate(exact):
        statistic, freedom = pearson(np.bincount(seen[:, rung], minlength=len(one.pi)), groups * one.pi)
        found.append((statistic - freedom) / (2 * freedom) ** 0.5)
    return found


@pytest.mark.parametrize(
    ("name", "soft", "delayed", "lookahead"),
    [("duplicates", False, 0, 1), ("duplicates", True, 1, 5), ("free", False, 1, 3)],
)
def test_each_rung_keeps_its_law(name: str, soft: bool, delayed: int, lookahead: int) -> None:
    case = CASES[name]
    assert max(deviations(tempering(case, soft, delayed, lookahead=lookahead), case, soft)) < 4


def test_the_cold_rung_forgets_where_it_began() -> None:
    case, groups = CASES["duplicates"], 400
    exact = of_rungs(case)[0]
    seen = visited(tempering(case), case.model, exact, [case.first] * (3 * groups), 5, [30])[0][::3]
    assert total_variation(np.bincount(seen, minlength=len(exact.pi)) / groups, exact.pi) <= 2 * exact.independent(
        groups
    )


class Reckless(Tempering):
    """Exchanges whatever the energies say."""

    def _energy(self, chain: Chain) -> float:
        return 0.0


def test_a_wrong_exchange_is_seen() -> None:
    case = CASES["duplicates"]
    right = tempering(case)
    assert max(deviations(Reckless(right.kernel, right.target, right.ladder, right.every), case)) > 6


def test_exchanges_are_counted_and_seen_by_the_trace() -> None:
    async def go() -> None:
        case, trace = CASES["duplicates"], Trace()
        async for step in run(tempering(case, lookahead=4), case.model, [case.first] * 6, generators(1, 6), 40):
            trace.add(step)
            assert [visit.state for visit in trace.last] == [chain.state for chain in step.chains]
        counts = {name: count for name, count in trace.moves.items() if name.startswith("exchange")}
        assert set(counts) == {"exchange 1|0.5", "exchange 0.5|0.2"}
        assert all(count.tried == count.proposed == 2 * 2 * 10 for count in counts.values())
        assert all(0.2 < count.acceptance < 1 for count in counts.values())

    asyncio.run(go())


def test_what_is_no_ladder_is_refused() -> None:
    case = CASES["duplicates"]
    kernel = tempering(case)
    with pytest.raises(ValueError, match="two betas"):
        replace(kernel, ladder=(1.0,))
    with pytest.raises(ValueError, match="whole groups"):
        asyncio.run(kernel.init([case.first] * 4, case.model))
