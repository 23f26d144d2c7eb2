"""The record of single steps."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplers.edits import Edit, difference, edit_of
from samplers.kernels.base import Try
from samplers.kernels.delayed import DelayedAcceptance
from samplers.run import generators, run
from samplers.state import State
from samplers.testing.toy import ToyLanguage
from samplers.trace import Trace
from tests.samplers.spaces import MIXES, cases

TOKENS = st.lists(st.integers(0, 2), max_size=8)


@given(TOKENS, TOKENS)
def test_difference_leads_from_the_one_to_the_other_and_is_short(old: list[int], new: list[int]) -> None:
    start, old_stop, new_stop = difference(old, new)
    assert old[:start] + new[start:new_stop] + old[old_stop:] == new
    left, right = old[start:old_stop], new[start:new_stop]
    assert not (left and right and (left[0] == right[0] or left[-1] == right[-1]))


def test_edit_of_each_kind_of_step() -> None:
    x, y = State((1, 2, 4), (-1, -1, -2)), State((1, 3, 3, 4), (-1, -1, -1, -2))
    assert edit_of(0, 7, x, Try("swap", False, False)) == Edit(0, 7, "swap", None, (), (), None, 0, False)
    assert edit_of(0, 7, x, Try("replace", True, False, x)).place is None
    edit = edit_of(2, 9, x, Try("tail", True, True, y, -0.5, 2))
    assert edit == Edit(2, 9, "tail", 1, (2,), (3, 3), -0.5, 2, True)


@pytest.mark.parametrize("lookahead", [1, 5])
@pytest.mark.parametrize("delayed", [False, True])
def test_edits_rebuild_the_path(delayed: bool, lookahead: int) -> None:
    case, steps, chains = cases()[1], 120, 4
    plain = replace(case.kernel(MIXES["all"]), lookahead=lookahead)
    kernel = (
        DelayedAcceptance(plain.target, plain.moves, plain.weights, plain.schedule, lookahead) if delayed else plain
    )

    async def go() -> Trace:
        trace = Trace(edits=[])
        async for step in run(kernel, ToyLanguage(), [case.first] * chains, generators(3, chains), steps):
            trace.add(step)
        return trace

    trace = asyncio.run(go())
    assert trace.edits is not None and len(trace.edits) == chains * steps
    stages = set()
    for chain in range(chains):
        tokens, states = case.first.tokens, {0: case.first.tokens}
        mine = [edit for edit in trace.edits if edit.chain == chain]
        assert [edit.step for edit in mine] == list(range(1, steps + 1))
        for edit in mine:
            stages.add(edit.stage)
            assert (edit.log_ratio is None) == (edit.stage == 0) and (edit.stage == 2 or not edit.moved)
            assert edit.log_ratio is None or isfinite(edit.log_ratio)
            if edit.place is None:
                continue
            assert tokens[edit.place : edit.place + len(edit.old)] == edit.old
            if edit.moved:
                tokens = (*tokens[: edit.place], *edit.new, *tokens[edit.place + len(edit.old) :])
                states[edit.step] = tokens
        assert states == {visit.step: visit.state.tokens for visit in trace.history if visit.chain == chain}
        assert tokens == trace.last[chain].state.tokens
    assert stages == ({0, 1, 2} if delayed else {0, 2})


def test_log_ratio_is_that_of_the_law() -> None:
    """r of an edit and r of the edit back multiply to 1, where both were tried and there is one way for each."""
    case = cases()[1]
    kernel = case.kernel(MIXES["all"])

    async def go() -> dict[tuple[State, State, str], float]:
        ratios: dict[tuple[State, State, str], float] = {}
        trace, before = Trace(), [case.first] * 8
        async for step in run(kernel, ToyLanguage(), before, generators(3, 8), 400):
            for chain, state in zip(step.chains, before, strict=True):
                for attempt in chain.info.tries:
                    if attempt.log_ratio is not None and attempt.move in ("replace", "swap", "reform"):
                        assert attempt.proposal is not None
                        ratios[state, attempt.proposal, attempt.move] = attempt.log_ratio
            before = [chain.state for chain in step.chains]
            trace.add(step)
        return ratios

    ratios = asyncio.run(go())
    pairs = [(ratio, ratios[y, x, move]) for (x, y, move), ratio in ratios.items() if (y, x, move) in ratios]
    assert len(pairs) > 50
    for there, home in pairs:
        assert there == pytest.approx(-home, abs=1e-9)
