"""Every kernel and mix of moves has exactly the law that it claims, on spaces listed state by state."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from itertools import product

import numpy as np
import pytest

from samplers.kernels.base import Chain
from samplers.kernels.metropolis import MetropolisHastings
from samplers.kernels.prefetch import PrefetchedStep
from samplers.schedules import geometric
from samplers.state import State
from samplers.testing import paths
from tests.samplers.checks import Exact, distance_to_target, one_step_deviation, starts, visited
from tests.samplers.enumeration import reachable, total_variation
from tests.samplers.spaces import MIXES, cases, moves

CASES = {case.name: case for case in cases()}


@cache
def exact_law(name: str, mix: str, beta: float = 1.0, soft: bool = False, delayed: int = 0) -> Exact:
    """Shared by the tests of one law, which takes a while to write down."""
    return Exact.of(CASES[name].law(MIXES[mix], beta, soft, delayed), CASES[name].first)


SPARE = {
    "free": ("edits+swap", "edits+reform", "shift", "long"),
    "unordered": ("edits+reform", "long"),
    "duplicates": ("edits+swap", "long"),
}
"""Mixes whose last move never applies, "all" or "every" has it too; and those that are part of "every"."""


def _variants() -> list[tuple[str, str, float, bool]]:
    """Case, mix, beta, potential: every mix at beta 1; the widest also colder, hotter and with a potential."""
    plain = [
        (name, mix, 1.0, False)
        for name, case in CASES.items()
        for mix in MIXES
        if mix not in SPARE.get(name, ()) and not ("swap" in MIXES[mix] and case.space.ordered)
    ]
    wide = [
        (name, case.widest, beta, soft)
        for name, case in CASES.items()
        for beta, soft in ((0.5, False), (1.6, False), (1.3, True))
    ]
    return plain + wide + [(name, "every", 1.3, True) for name in SPARE] + [("forms", "long", 1.3, True)]


def _delayed(variants: list[tuple[str, str, float, bool]]) -> list[tuple[str, str, float, bool, int]]:
    """Each at once and delayed by a token; by two those whose mix is the widest, since only a number differs."""
    return [
        (name, mix, beta, soft, delayed)
        for name, mix, beta, soft in variants
        for delayed in (0, 1, 2)
        if delayed < 2 or mix in (CASES[name].widest, "every")
    ]


VARIANTS = _delayed(_variants())


def _runs() -> list[tuple[str, str, float, bool, int]]:
    """Every case with the potential and colder, every mix, each with every kernel: no product of all of these.

    A run is steps one after another, and the rows of one step are tested under every variant.
    """
    soft = [
        (name, "every" if name in SPARE else case.widest, 1.3, True, delayed)
        for name, case in CASES.items()
        for delayed in (0, 1, 2)
    ]
    cold = [(name, case.widest, 1.6, False, at % 3) for at, (name, case) in enumerate(CASES.items())]
    plain = [variant for variant in VARIANTS if variant[2] == 1 and variant[4] < 2]
    spread = [
        variants[at % len(variants)]
        for at, (mix, delayed) in enumerate(product(MIXES, (0, 1)))
        if (variants := [variant for variant in plain if variant[1] == mix and variant[4] == delayed])
    ]
    return soft + cold + spread


RUNS = _runs()


def _id(value: object) -> str | None:
    if isinstance(value, bool):
        return "potential" if value else ""
    return {0: "", 1: "delayed", 2: "delayed by 2"}[value] if isinstance(value, int) else None


every_variant = pytest.mark.parametrize(("name", "mix", "beta", "soft", "delayed"), VARIANTS, ids=_id)


@every_variant
def test_matrix_keeps_the_target(name: str, mix: str, beta: float, soft: bool, delayed: int) -> None:
    pi, p = exact_law(name, mix, beta, soft, delayed).whole
    flow = pi[:, None] * p
    assert p.min() >= -1e-12
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-10)
    assert np.abs(flow - flow.T).max() <= 1e-10
    np.testing.assert_allclose(pi @ p, pi, atol=1e-10)
    if mix in CASES[name].connected:
        assert all(reachable(p, start).all() for start in range(len(p)))


@pytest.mark.parametrize("name", CASES)
def test_support_is_the_same_set(name: str) -> None:
    """The product's constraints admit exactly the states that the enumeration lists, and no other is near."""
    case = CASES[name]
    target = case.target()
    exact = exact_law(name, case.widest)
    listed = set(exact.states)
    near = {
        beside
        for x in exact.states
        for beside in (
            [x.replaced(i, w) for i in x.free for w in case.space.interior]
            + [x.inserted(g, w) for g in x.gaps for w in case.space.interior]
            + [x.deleted(i) for i in x.free]
        )
    }
    assert all(target.admits(x) for x in listed)
    assert {x for x in near if target.admits(x)} <= listed
    assert near - listed, "the space has no border, so its constraints are not tested"


@pytest.mark.parametrize("beta", [1.0, 2.5])
@pytest.mark.parametrize("name", CASES)
def test_moves_propose_the_paths_of_the_enumeration(name: str, beta: float) -> None:
    """Not a frequency but an identity: the same states, by ways of the same probability and ratio."""
    case = CASES[name]
    weights = {move: weight for move, weight in MIXES["every"].items() if move != "swap" or not case.space.ordered}
    law = case.law(weights, beta)

    async def check() -> None:
        for x in law.space.states()[::9]:
            expected: dict[object, float] = defaultdict(float)
            for after, forth, back in law.paths(x):
                expected[after.labelled, round(float(np.log(back / forth)), 8)] += forth
            found: dict[object, float] = defaultdict(float)
            for move in moves(weights, case.space.forms, case.space.ordered):
                for way in await paths(move, State(*x.labelled), weights, case.model, beta):
                    labelled = way.state.tokens, way.state.owners
                    found[labelled, round(way.log_q_ratio, 8) + 0.0] += weights[move.name] * way.probability
            assert found == pytest.approx(expected)

    asyncio.run(check())


@every_variant
def test_one_step_has_the_rows_of_the_matrix(name: str, mix: str, beta: float, soft: bool, delayed: int) -> None:
    case, weights = CASES[name], MIXES[mix]
    exact = exact_law(name, mix, beta, soft, delayed)
    tries = min(400, 6_000 // len(exact.states))
    deviation = one_step_deviation(case.kernel(weights, beta, soft, delayed), case.model, exact, seed=3, tries=tries)
    assert abs(deviation) < 4


@pytest.mark.parametrize(("name", "mix", "beta", "soft", "delayed"), RUNS, ids=_id)
def test_run_reaches_the_target(name: str, mix: str, beta: float, soft: bool, delayed: int) -> None:
    case, weights = CASES[name], MIXES[mix]
    exact = exact_law(name, mix, beta, soft, delayed)
    kernel = case.kernel(weights, beta, soft, delayed)
    # As many draws of fewer chains: less of the work is to forget where they began.
    distance = distance_to_target(kernel, case.model, exact, seed=7, chains=100, rounds=12)
    assert distance.holds, distance


class CarriesAlong(MetropolisHastings):
    """Keeps the potential of the state that a chain began with."""

    def _accept(self, chain: Chain, prefetched: Sequence[PrefetchedStep], rng: np.random.Generator) -> Chain:
        after = MetropolisHastings._accept(self, chain, prefetched, rng)
        return replace(after, position=replace(after.position, log_weight=chain.position.log_weight))


def test_what_a_chain_carries_along_is_seen_by_a_run_alone() -> None:
    case, weights = CASES["free"], MIXES["every"]
    exact = exact_law("free", "every", 1.3, True)
    right = case.kernel(weights, 1.3, True)
    wrong = CarriesAlong(right.target, right.moves, weights, right.schedule)
    distance = distance_to_target(wrong, case.model, exact, seed=7, chains=100, rounds=12)
    assert distance.run > 2.5 * distance.independent and not distance.holds, distance
    assert abs(one_step_deviation(wrong, case.model, exact, seed=3, tries=65)) < 4


@pytest.mark.parametrize(("lookahead", "delayed"), [(2, 0), (7, 1), (7, 2)])
def test_looking_ahead_keeps_the_target(lookahead: int, delayed: int) -> None:
    case = CASES["unordered"]
    exact = exact_law("unordered", "all", delayed=delayed)
    kernel = replace(case.kernel(MIXES["all"], delayed=delayed), lookahead=lookahead)
    assert abs(one_step_deviation(kernel, case.model, exact, seed=3, tries=25)) < 4
    assert distance_to_target(kernel, case.model, exact, seed=7).holds


@pytest.mark.parametrize(
    ("name", "soft", "delayed"),
    [*((name, False, 0) for name in CASES), ("free", True, 0), ("duplicates", True, 1)],
    ids=lambda value: "potential" if value is True else value or "",
)
def test_annealing_keeps_each_step_s_own_law_and_follows_the_product(name: str, soft: bool, delayed: int) -> None:
    """After T scheduled steps the law is mu P_1 ... P_T, where P_t keeps pi_beta(t)."""
    case, steps, chains = CASES[name], 8, 3000
    schedule = geometric(0.3, 3.0, steps)
    laws = [case.law(MIXES[case.widest], schedule(0, t), soft, delayed) for t in range(1, steps + 1)]
    exact = [Exact.of(law, case.first) for law in laws]
    for one in exact:
        flow = one.pi[:, None] * one.matrix
        assert np.abs(flow - flow.T).max() <= 1e-10
        assert one.states == exact[0].states
    first = starts(exact[0], chains)
    mu = np.bincount(np.arange(chains) % len(exact[0].states), minlength=len(exact[0].states)) / chains
    for one in exact:
        mu = mu @ one.matrix
    kernel = replace(case.kernel(MIXES[case.widest], 1.0, soft, delayed), schedule=schedule)
    seen = visited(kernel, case.model, exact[0], first, 11, [steps])[0]
    empirical = np.bincount(seen, minlength=len(mu)) / chains
    assert total_variation(empirical, mu) <= 2 * exact[0].independent(chains, mu)
    # Sharp enough to tell the schedule from its ends.
    assert total_variation(empirical, exact[0].pi) > 3 * exact[0].independent(chains, mu)


@pytest.mark.parametrize("name", CASES)
def test_two_stages_are_another_chain(name: str) -> None:
    """Else the tests of delayed acceptance would test nothing."""
    one, two, three = (exact_law(name, CASES[name].widest, delayed=delayed).matrix for delayed in (0, 1, 2))
    assert np.abs(one - two).max() > 0.01 and np.abs(two - three).max() > 0.001
    assert np.trace(two) >= np.trace(one) - 1e-12


def test_the_spaces_are_not_trivial() -> None:
    assert all(1 - exact_law(name, case.widest).pi.max() > 0.5 for name, case in CASES.items())
