"""The trace counts what happened and keeps each sentence once."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import numpy as np
import pytest

from samplers.kernels.base import Chain, Info, Position, Try
from samplers.run import Step, generators, run
from samplers.state import State
from samplers.testing.toy import ToyLanguage, ToyScored
from samplers.trace import MoveCount, Trace, Visit, rank
from tests.samplers.spaces import MIXES, cases


def state(*tokens: int) -> State:
    return State(tokens, (*[-1] * (len(tokens) - 1), -2))


def chain(x: State, *log_probs: float, steps: int = 0, tries: tuple[Try, ...] = ()) -> Chain:
    return Chain(Position(x, ToyScored(x.tokens, np.array(log_probs))), Info(steps, tries))


X, Y = state(1, 4), state(2, 4)
REFUSED, MOVED, IDLE = Try("insert", True, False), Try("replace", True, True), Try("delete", False, False)


def test_counts_and_visits() -> None:
    trace = Trace()
    fresh = trace.add(Step(0, [chain(X, -1, -2), chain(X, -1, -2)]))
    assert [visit.state for visit in fresh] == [X]
    assert trace.moves == {}

    fresh = trace.add(
        Step(1, [chain(X, -1, -2, steps=1, tries=(REFUSED,)), chain(Y, -0.5, -2, steps=3, tries=(IDLE, IDLE, MOVED))])
    )
    assert [(visit.state, visit.chain, visit.step) for visit in fresh] == [(Y, 1, 3)]
    fresh = trace.add(
        Step(2, [chain(Y, -0.5, -2, steps=2, tries=(MOVED,)), chain(Y, -0.5, -2, steps=4, tries=(IDLE,))])
    )
    assert fresh == []
    assert trace.steps == 2
    assert trace.moves == {"insert": MoveCount(1, 1, 0), "replace": MoveCount(2, 2, 2), "delete": MoveCount(3, 0, 0)}
    assert [visit.state for visit in trace.last] == [Y, Y]
    assert [visit.step for visit in trace.last] == [2, 3]
    assert set(trace.visits) == {X.tokens, Y.tokens}
    assert (trace.visits[Y.tokens].chain, trace.visits[Y.tokens].step) == (0, 2)  # heard of later, but earlier


def test_labels_alone_make_no_new_sentence() -> None:
    trace = Trace()
    trace.add(Step(0, [chain(State((1, 1, 4), (0, -1, -2)), -1, -1, -1)]))
    other = State((1, 1, 4), (-1, 0, -2))
    assert trace.add(Step(1, [chain(other, -1, -1, -1, steps=1, tries=(MOVED,))])) == []
    assert trace.last[0].state == other


def test_acceptance() -> None:
    assert MoveCount().acceptance == 0
    assert MoveCount(8, 6, 2).acceptance == 0.25


def test_log_probs_of_a_visit() -> None:
    visit = Visit(X, (-1.0, -2.0), 0, 0)
    assert visit.log_prob == -3
    assert visit.log_prob_per_token == -1.5


def test_rank_is_by_log_prob_per_token_then_by_age() -> None:
    poor, old, late, neighbour = (
        Visit(X, (-3.0, -1.0), 0, 0),
        Visit(Y, (-1.0, -1.0), 3, 2),
        Visit(X, (-1.0,), 0, 5),
        Visit(Y, (-2.0, 0.0), 4, 2),
    )
    assert rank([poor, late, neighbour, old]) == [old, neighbour, late, poor]
    assert rank([]) == []


def test_trace_of_a_run_agrees_with_the_run() -> None:
    case = cases()[1]

    async def go() -> None:
        trace, seen, moved = Trace(), set(), 0
        model = ToyLanguage()
        async for step in run(case.kernel(MIXES["all"]), model, [case.first] * 6, generators(2, 6), 50):
            trace.add(step)
            seen |= {one.state.tokens for one in step.chains}
            moved += sum(one.moved for one in step.chains)
            assert [visit.state for visit in trace.last] == [one.state for one in step.chains]
        assert set(trace.visits) == seen
        assert sum(count.tried for count in trace.moves.values()) == 6 * 50
        assert sum(count.moved for count in trace.moves.values()) == moved
        for visit in trace.visits.values():
            assert visit.log_prob == pytest.approx(case.law(MIXES["all"]).log_prob(visit.state.tokens))

    asyncio.run(go())


@pytest.mark.parametrize("lookahead", [1, 7])
def test_draws_are_the_chains_at_every_step(lookahead: int) -> None:
    case, steps = cases()[1], 50

    def mark(state: State) -> float:
        return hash(state.tokens) % 1000

    async def go() -> None:
        trace, stood = Trace(), [[(0, case.first)] for _ in range(6)]
        kernel = replace(case.kernel(MIXES["all"]), lookahead=lookahead)
        async for step in run(kernel, ToyLanguage(), [case.first] * 6, generators(2, 6), steps):
            trace.add(step)
            drawn = trace.draws(lambda visit: mark(visit.state))
            for row, path, one in zip(drawn, stood, step.chains, strict=True):
                path.append((one.steps, one.state))
                at = [[state for number, state in path if number <= t][-1] for t in range(trace.steps + 1)]
                assert row.tolist() == [mark(state) for state in at]
        lengths = trace.draws(lambda visit: len(visit.state))
        assert lengths.shape == (6, steps + 1)
        assert np.array_equal(trace.draws(lambda visit: len(visit.state), 20), lengths[:, 21:])

    asyncio.run(go())


def test_looking_ahead_changes_no_visit() -> None:
    case = cases()[1]

    async def visits(lookahead: int) -> dict[tuple[int, ...], Visit]:
        trace = Trace()
        kernel = replace(case.kernel(MIXES["all"]), lookahead=lookahead)
        async for step in run(kernel, ToyLanguage(), [case.first] * 6, generators(2, 6), 50):
            trace.add(step)
        return trace.visits

    alone, far = asyncio.run(visits(1)), asyncio.run(visits(7))
    assert alone == far
