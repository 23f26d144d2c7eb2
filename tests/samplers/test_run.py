"""The driver: the same seed gives the same run, and chains do not feel their neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from samplers.kernels.base import Chain, Kernel
from samplers.kernels.metropolis import MetropolisHastings
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.moves.replace import Replace
from samplers.moves.swap import Swap
from samplers.run import Step, generators, run
from samplers.schedules import linear
from samplers.state import State
from samplers.target import Target
from samplers.testing.toy import ToyLanguage, decode
from tests.samplers.spaces import MIXES, Case, cases

CASES = {case.name: case for case in cases()}
CASE: Case = CASES["unordered"]
KERNELS: dict[str, MetropolisHastings] = {
    "metropolis": CASE.kernel(MIXES["all"]),
    "annealing": replace(CASE.kernel(MIXES["all"]), schedule=linear(0.5, 3.0, 40)),
}


def path(kernel: Kernel, chains: int, seed: int = 1, steps: int = 40) -> list[list[State]]:
    """States by step and chain."""

    async def collect() -> list[list[State]]:
        states = [CASE.first] * chains
        return [
            [chain.state for chain in step.chains]
            async for step in run(kernel, ToyLanguage(), states, generators(seed, chains), steps)
        ]

    return asyncio.run(collect())


@pytest.mark.parametrize("name", KERNELS)
def test_same_seed_same_run(name: str) -> None:
    first = path(KERNELS[name], 5)
    assert path(KERNELS[name], 5) == first
    assert path(KERNELS[name], 5, seed=2) != first
    assert len({tuple(states) for states in zip(*first, strict=True)}) == 5, "chains share their randomness"


@pytest.mark.parametrize("name", KERNELS)
def test_a_chain_s_path_does_not_depend_on_its_neighbours(name: str) -> None:
    many = path(KERNELS[name], 7)
    for chains in (1, 3):
        assert path(KERNELS[name], chains) == [states[:chains] for states in many]


def test_generators_depend_on_seed_and_chain_alone() -> None:
    few, many = generators(11, 2), generators(11, 6)
    draws = [rng.random(4).tolist() for rng in many]
    assert [rng.random(4).tolist() for rng in few] == draws[:2]
    others = [rng.random(4).tolist() for rng in generators(12, 6)]
    assert len({tuple(row) for row in draws + others}) == 12


def test_steps_are_numbered_from_the_first_states() -> None:
    async def collect(steps: int) -> list[Step]:
        return [step async for step in run(KERNELS["metropolis"], ToyLanguage(), [CASE.first], generators(1, 1), steps)]

    assert [step.number for step in asyncio.run(collect(3))] == [0, 1, 2, 3]
    (only,) = asyncio.run(collect(0))
    assert only.chains[0].state == CASE.first
    assert only.chains[0].info.tries == ()


def test_scores_stand_beside_their_states() -> None:
    async def check() -> None:
        model = ToyLanguage()
        async for step in run(KERNELS["metropolis"], model, [CASE.first] * 4, generators(1, 4), 60):
            for chain in step.chains:
                assert chain.position.scored.tokens == chain.state.tokens
                assert chain.log_prob == pytest.approx(CASE.law(MIXES["all"]).log_prob(chain.state.tokens))
                assert CASE.target().admits(chain.state)

    asyncio.run(check())


def test_a_step_is_two_calls_whatever_the_number_of_chains() -> None:
    async def calls(chains: int) -> list[str]:
        model = ToyLanguage()
        async for _ in run(KERNELS["metropolis"], model, [CASE.first] * chains, generators(1, chains), 5):
            pass
        return [name for name, _ in model.calls]

    assert asyncio.run(calls(30)) == ["score", *["propose", "score"] * 5]


def test_rounds_of_all_chains_meet_in_the_same_two_calls() -> None:
    """A move of n tokens takes n calls, in which others go on; nothing is drawn beyond it that may be thrown away."""
    weights = {"redraw": 0.5, "replace": 0.5}
    kernel = replace(CASE.kernel(weights), lookahead=4)

    async def check() -> None:
        model = ToyLanguage()
        apart = False
        async for step in run(kernel, model, [CASE.first] * 30, generators(1, 30), 12):
            apart |= len({chain.steps for chain in step.chains}) > 1
            for chain in step.chains:
                redrawn = [one for one in chain.prefetched if one.move == "redraw" and one.draft is not None]
                assert not redrawn or len(chain.prefetched) == 1
        names = [name for name, _ in model.calls]
        assert names == ["score", *["propose", "score"] * (len(names) // 2)]
        assert apart

    asyncio.run(check())


def test_closing_stops_the_chains() -> None:
    async def check() -> int:
        model = ToyLanguage()
        stream = run(KERNELS["metropolis"], model, [CASE.first] * 3, generators(1, 3), 1000)
        async for step in stream:
            if step.number == 2:
                break
        await stream.aclose()
        return len(model.calls)

    assert asyncio.run(check()) == 5


def test_tries_say_what_happened() -> None:
    async def check() -> None:
        before: Sequence[Chain] = ()
        kernel = replace(CASE.kernel(MIXES["all"]), lookahead=4)
        async for step in run(kernel, ToyLanguage(), [CASE.first] * 20, generators(5, 20), 81):
            for old, chain in zip(before, step.chains, strict=False):
                assert chain.moved == (chain.state != old.state)
                assert chain.steps == old.steps + len(chain.info.tries)
                assert not any(attempt.moved for attempt in chain.info.tries[:-1])
                for attempt in chain.info.tries:
                    # Every keyword of this space has one form, so there is nothing to reform.
                    idle = attempt.move == "reform" or (attempt.move == "delete" and not old.state.free)
                    assert attempt.proposed != idle
            before = step.chains
        assert {chain.steps for chain in before} == {81}

    asyncio.run(check())


@pytest.mark.parametrize("lookahead", [2, 5, 64, lambda chain, active: 1 + (7 * chain.steps + active) % 6])
@pytest.mark.parametrize("name", KERNELS)
def test_looking_ahead_changes_no_path(name: str, lookahead: int | Callable[[Chain, int], int]) -> None:
    """Step by step the states of the kernel that looks one step ahead, and the generators end alike."""
    kernel = KERNELS[name]
    further = replace(kernel, lookahead=lookahead)

    async def stays(kernel: Kernel) -> tuple[list[list[State]], list[float]]:
        rngs = generators(1, 6)
        paths: list[list[State]] = [[] for _ in rngs]
        async for step in run(kernel, ToyLanguage(), [CASE.first] * 6, rngs, 40):
            for stood, chain in zip(paths, step.chains, strict=True):
                stood += [stood[-1]] * (chain.steps - len(stood)) if stood else []
                if len(stood) == chain.steps:
                    stood.append(chain.state)
        return paths, [rng.random() for rng in rngs]

    assert asyncio.run(stays(further)) == asyncio.run(stays(kernel))


def test_the_acceptance_rate_is_the_share_of_recent_steps_that_moved_the_chain() -> None:
    async def check() -> None:
        moved: list[list[bool]] = [[] for _ in range(5)]
        async for step in run(
            replace(KERNELS["metropolis"], lookahead=3), ToyLanguage(), [CASE.first] * 5, generators(7, 5), 60
        ):
            for path, chain in zip(moved, step.chains, strict=True):
                path += [attempt.moved for attempt in chain.info.tries]
                fading = [0.95**age for age in range(len(path))]
                late = 0.05 * sum(weight for weight, one in zip(fading, reversed(path), strict=True) if one)
                assert chain.info.acceptance_rate == pytest.approx(late + 0.2 * 0.95 ** len(path))
        assert any(map(any, moved))

    asyncio.run(check())


def test_a_chain_that_waits_for_its_second_stage_holds_up_no_other() -> None:
    async def check() -> None:
        ahead_of_others = 0
        kernel = replace(CASE.kernel(MIXES["all"], delayed=1), lookahead=2)
        async for step in run(kernel, ToyLanguage(), [CASE.first] * 8, generators(4, 8), 60):
            waiting = [chain for chain in step.chains if chain.prefetched]
            assert all(not chain.info.tries and any(one.waits for one in chain.prefetched) for chain in waiting)
            ahead_of_others += 0 < len(waiting) < 8
        assert ahead_of_others > 10 and not any(chain.prefetched for chain in step.chains)

    asyncio.run(check())


def test_first_states_must_lie_in_the_support() -> None:
    bare = State((4,), (-2,))
    with pytest.raises(ValueError, match="violates"):
        asyncio.run(KERNELS["metropolis"].init([CASE.first, bare], ToyLanguage()))


def test_one_generator_a_chain() -> None:
    async def go() -> None:
        async for _ in run(KERNELS["metropolis"], ToyLanguage(), [CASE.first] * 2, generators(1, 3), 1):
            pass

    with pytest.raises(ValueError, match="2 states and 3 generators"):
        asyncio.run(go())


@pytest.mark.parametrize(
    ("moves", "weights", "message"),
    [
        ([Replace()], {"swap": 1.0}, "differ"),
        ([Replace(), Swap()], {"replace": 1.0}, "differ"),
        ([Replace(), Replace()], {"replace": 1.0}, "differ"),
        ([Replace(), Swap()], {"replace": 0.5, "swap": 0.4}, "sum to 1"),
        ([Replace(), Swap()], {"replace": 1.0, "swap": 0.0}, "positive"),
        ([Replace(), Swap()], {"replace": 1.5, "swap": -0.5}, "positive"),
        ([], {}, "positive"),
        ([Replace(), Insert()], {"replace": 0.5, "insert": 0.5}, "reverse"),
        ([Replace(), Delete()], {"replace": 0.5, "delete": 0.5}, "reverse"),
        ([Insert(0.1), Delete(0.2)], {"insert": 0.5, "delete": 0.5}, "same epsilon"),
    ],
)
def test_a_mix_that_has_no_law_is_refused(moves: list, weights: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MetropolisHastings(Target(decode), moves, weights)


def test_moves_are_tried_with_their_weights() -> None:
    async def tried() -> list[str]:
        first, last = [CASE.first] * 4000, None
        async for step in run(KERNELS["metropolis"], ToyLanguage(), first, generators(3, 4000), 1):
            last = step
        assert last is not None
        return [attempt.move for chain in last.chains for attempt in chain.info.tries]

    names = asyncio.run(tried())
    weights = MIXES["all"]
    counts = np.array([names.count(name) for name in weights])
    expected = 4000 * np.array(list(weights.values()))
    assert ((counts - expected) ** 2 / expected).sum() < 23.5, "0.9999 quantile of chi-square, 4 degrees of freedom"
