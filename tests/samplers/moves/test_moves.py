"""Moves on random states: keyword blocks stay whole, and every place is met."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplers.moves.base import Move, Proposal
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.moves.redraw import Redraw
from samplers.moves.redraw_span import RedrawSpan
from samplers.moves.reform import Reform
from samplers.moves.replace import Replace
from samplers.moves.shift import Shift
from samplers.moves.swap import Swap
from samplers.state import END, FREE, State
from samplers.testing import proposed
from samplers.testing.toy import ENDS, ToyLanguage
from tests.samplers.spaces import EPSILON, MIXES
from tests.samplers.strategies import FORMS, states

WEIGHTS = MIXES["every"]
MOVES: dict[str, Move] = {
    move.name: move
    for move in (
        Replace(EPSILON),
        Insert(EPSILON),
        Delete(EPSILON),
        Swap(),
        Reform(FORMS),
        Redraw(ENDS, 5, EPSILON),
        RedrawSpan(3, EPSILON),
        Shift(),
    )
}
MODEL = ToyLanguage()
seeds = st.integers(0, 2**32 - 1)


async def propose(move: Move, state: State, rng: np.random.Generator) -> Proposal | None:
    draft = move.draft(state, rng, WEIGHTS, 1.0)
    return None if draft is None else await proposed(draft, state, MODEL)


def forms_of(state: State) -> dict[int, tuple[int, ...]]:
    return {k: state.tokens[state.block(k)] for k in state.keywords}


def applies(name: str, state: State) -> bool:
    """Whether a move has anything to do."""
    return {"delete": bool(state.free), "swap": len(state.keywords) > 1}.get(name, True)


complete = states(least_keywords=len(FORMS))


@pytest.mark.parametrize("name", MOVES)
@given(state=complete, seed=seeds)
def test_proposals_are_whole_states(name: str, state: State, seed: int) -> None:
    proposal = asyncio.run(propose(MOVES[name], state, np.random.default_rng(seed)))
    if name in ("redraw", "redraw_span") and proposal is None:
        return  # no run, or too long a tail, at the place that it chose
    assert (proposal is not None) == applies(name, state)
    if proposal is None:
        return
    after = proposal.state
    assert len(after.tokens) == len(after.owners)
    assert after.owners[-1] == END
    assert after.owners.count(END) == 1
    before_forms, after_forms = forms_of(state), forms_of(after)
    assert sorted(after.keywords) == sorted(state.keywords)
    assert all(after_forms[k] in FORMS[k] for k in after.keywords)
    if name != "reform":
        assert after_forms == before_forms
    if name not in ("swap", "shift"):
        assert after.keywords == state.keywords
    if name not in ("redraw", "redraw_span"):
        changed = {"insert": 1, "delete": -1}.get(name, 0)
        assert len(after.free) - len(state.free) == changed
    if name in ("swap", "reform", "shift"):
        assert [after.tokens[i] for i in after.free] == [state.tokens[i] for i in state.free]
        assert proposal.log_q_ratio == 0
        assert after != state


def test_insertion_reaches_every_gap_and_deletion_every_free_token() -> None:
    rng = np.random.default_rng(1)
    state = State.assemble([(0, (6, 7)), (FREE, (1,)), (FREE, (2,))], 4)
    inserts = [MOVES["insert"].draft(state, rng, WEIGHTS, 1.0) for _ in range(120)]
    assert {draft.query.position for draft in inserts if draft and draft.query} == set(state.gaps)
    deletes = [MOVES["delete"].draft(state, rng, WEIGHTS, 1.0) for _ in range(60)]
    assert {draft.query.position for draft in deletes if draft and draft.query} == set(state.free)


def test_moves_without_a_place_leave_the_chain() -> None:
    rng = np.random.default_rng(0)
    bare = State.assemble([(0, (1,))], 4)
    assert Delete().draft(bare, rng, WEIGHTS, 1.0) is None
    assert Swap().draft(bare, rng, WEIGHTS, 1.0) is None
    assert Reform((((1,),),)).draft(bare, rng, WEIGHTS, 1.0) is None
    assert Shift().draft(bare, rng, WEIGHTS, 1.0) is None
    assert RedrawSpan().draft(bare, rng, WEIGHTS, 1.0) is None


def test_a_tail_longer_than_any_that_is_drawn_stays() -> None:
    """It could not be drawn again, so the way back would have no mass."""
    rng, tail = np.random.default_rng(0), State.assemble([(0, (1,)), *[(FREE, (2,))] * 3], 4)
    drafts = [Redraw(ENDS, 2).draft(tail, rng, WEIGHTS, 1.0) for _ in range(60)]
    places = {len(draft.queries) for draft in drafts if draft is not None}
    assert places == {2, 3}, "of each place the old tokens are asked, the closing one too"
    assert None in drafts


def test_a_block_in_order_goes_between_its_neighbours() -> None:
    state = State.assemble([(0, (1,)), (FREE, (2,)), (1, (6, 7)), (FREE, (3,)), (2, (0,)), (FREE, (1,))], 4)
    rng = np.random.default_rng(1)
    ordered, free = (
        {move_to.state for _ in range(200) if (move_to := asyncio.run(propose(move, state, rng))) is not None}
        for move in (Shift(ordered=True), Shift())
    )
    assert all(after.keywords == [0, 1, 2] for after in ordered)
    assert {after.block(1).start for after in ordered} == {1, 2, 3}
    assert any(after.keywords != [0, 1, 2] for after in free)


def test_a_form_listed_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="keyword 1 lists a form twice"):
        Reform((((1,),), ((2,), (3,), (2,))))
