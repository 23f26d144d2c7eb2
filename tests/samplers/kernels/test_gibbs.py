"""Gibbs sampling: exact with all tokens tried, and with a few drawn ones."""

from __future__ import annotations

import asyncio
from typing import Any

import numpy as np
import pytest

from samplers.kernels.gibbs import Gibbs
from samplers.run import generators, run
from samplers.testing import pearson
from samplers.testing.toy import ENDS, INTERIOR, ToyLanguage
from tests.samplers.checks import Exact, visited
from tests.samplers.spaces import EPSILON, MIXES, Case, cases, moves

CASES = {case.name: case for case in cases()}
EVERY: dict[str, Any] = {"interior": INTERIOR, "ends": ENDS}
FEW: dict[str, Any] = {"candidates": 3, "epsilon": EPSILON}


def gibbs(case: Case, mix: str, beta: float = 1.0, soft: bool = False, **options: Any) -> Gibbs:
    weights = MIXES[mix]
    others = moves(
        {name: weight for name, weight in weights.items() if name != "replace"}, case.space.forms, case.space.ordered
    )
    return Gibbs(case.target(soft), others, weights, beta, **options)


def deviation(kernel: Gibbs, case: Case, mix: str, beta: float = 1.0, soft: bool = False, steps: int = 5) -> float:
    """Standard deviations by which chains that start from the law miss it a few steps later."""
    exact = Exact.of(case.law(MIXES[mix], beta, soft), case.first)
    drawn = np.random.default_rng(2).choice(len(exact.pi), size=1500, p=exact.pi)
    seen = visited(kernel, case.model, exact, [exact.states[i] for i in drawn], 3, [steps])[0]
    statistic, freedom = pearson(np.bincount(seen, minlength=len(exact.pi)), 1500 * exact.pi)
    return float((statistic - freedom) / (2 * freedom) ** 0.5)


@pytest.mark.parametrize("options", [EVERY, FEW, FEW | {"candidates": 1}], ids=["every", "few", "one"])
@pytest.mark.parametrize(
    ("name", "mix", "beta", "soft"),
    [
        ("duplicates", "replace", 1.0, False),
        ("duplicates", "all", 1.3, True),
        ("forms", "edits+reform", 1.6, False),
        ("duplicates", "every", 1.0, False),
    ],
)
def test_it_keeps_the_law(name: str, mix: str, beta: float, soft: bool, options: dict[str, Any]) -> None:
    case = CASES[name]
    assert deviation(gibbs(case, mix, beta, soft, **options), case, mix, beta, soft) < 4


@pytest.mark.parametrize("options", [EVERY, FEW], ids=["every", "few"])
def test_one_step_has_the_rows_of_the_conditionals(options: dict[str, Any]) -> None:
    """With all tokens tried the rows are those of the definition; few candidates stay more often."""
    case = CASES["duplicates"]
    exact = Exact.of(case.law(MIXES["replace"]), case.first)
    number = {state: i for i, state in enumerate(exact.states)}
    start = exact.states[3]
    places = [*start.free, start.end]
    row = np.zeros(len(exact.states))
    for place in places:
        beside = [start.replaced(place, w) for w in (ENDS if place == start.end else INTERIOR)]
        shares = np.array([exact.pi[number[state]] for state in beside])
        for state, share in zip(beside, shares / shares.sum(), strict=True):
            row[number[state]] += share / len(places)
    seen = visited(gibbs(case, "replace", **options), case.model, exact, [start] * 4000, 1, [1])[0]
    statistic, freedom = pearson(np.bincount(seen, minlength=len(row)), 4000 * row)
    missed = (statistic - freedom) / (2 * freedom) ** 0.5
    assert missed < 4 if options is EVERY else missed > 8


class Unweighted(Gibbs):
    """The mistake of choosing among drawn candidates by the target alone."""

    def _drawn(self, chain, update, found, rngs):  # type: ignore[no-untyped-def]
        update.log_qs = [0.0] * len(update.log_qs)
        return Gibbs._drawn(self, chain, update, found, rngs)


def test_candidates_that_are_not_divided_by_their_chance_are_seen() -> None:
    case = CASES["duplicates"]
    wrong = Unweighted(case.target(), [], {"replace": 1.0}, **FEW)
    assert deviation(wrong, case, "replace") > 6


def test_the_seed_decides_and_every_advance_is_a_step() -> None:
    async def path(seed: int, chains: int) -> list[list[object]]:
        case = CASES["unordered"]
        seen = []
        async for step in run(
            gibbs(case, "all", **FEW), ToyLanguage(), [case.first] * chains, generators(seed, chains), 20
        ):
            assert all(len(chain.info.tries) == (step.number > 0) for chain in step.chains)
            seen.append([chain.state for chain in step.chains[:2]])
        assert len(seen) == 21
        return seen

    once, neighbours, other = (asyncio.run(path(*case)) for case in ((5, 2), (5, 5), (6, 2)))
    assert once == neighbours != other


def test_a_mix_without_replace_is_refused() -> None:
    case = CASES["duplicates"]
    with pytest.raises(ValueError, match="replace"):
        Gibbs(case.target(), [], {"insert": 1.0})
    with pytest.raises(ValueError, match="moves that are not"):
        Gibbs(case.target(), [], {"replace": 0.5, "insert": 0.5})
