"""States: gaps, blocks and edits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplers.state import END, FREE, State
from tests.samplers.strategies import states


def blocks(state: State) -> dict[int, tuple[int, ...]]:
    """Tokens of each keyword's block."""
    return {k: state.tokens[state.block(k)] for k in state.keywords}


def test_assemble() -> None:
    state = State.assemble([(1, (7, 8)), (FREE, (3,)), (0, (5,))], end=9)
    assert state == State((7, 8, 3, 5, 9), (1, 1, FREE, 0, END))
    assert state.keywords == [1, 0]
    assert state.free == [2]
    assert state.gaps == [0, 2, 3, 4]
    assert state.end == 4


def test_empty_sentence_has_one_gap() -> None:
    state = State.assemble([], end=9)
    assert (state.gaps, state.free, state.end, len(state)) == ([0], [], 0, 1)


def test_neighbouring_blocks_have_a_gap_between() -> None:
    assert State.assemble([(0, (1, 2)), (1, (3, 4))], 9).gaps == [0, 2, 4]


def test_labels_tell_states_apart() -> None:
    assert State((1, 1, 9), (0, FREE, END)) != State((1, 1, 9), (FREE, 0, END))


def test_missing_keyword() -> None:
    with pytest.raises(ValueError, match="not in"):
        State((1, 9), (FREE, END)).block(0)


@given(states())
def test_gaps_never_cut_a_block(state: State) -> None:
    for keyword in state.keywords:
        span = state.block(keyword)
        assert not set(state.gaps) & set(range(span.start + 1, span.stop))
        assert set(state.owners[span]) == {keyword}
        assert state.owners.count(keyword) == span.stop - span.start
    # One gap before every free token, block and end.
    assert len(state.gaps) == len(state.free) + len(state.keywords) + 1


@given(states(), st.data())
def test_insert_and_delete_undo_each_other(state: State, data: st.DataObject) -> None:
    gap = data.draw(st.sampled_from(state.gaps))
    longer = state.inserted(gap, 4)
    assert longer.deleted(gap) == state
    assert gap in longer.free
    assert len(longer.free) == len(state.free) + 1
    assert len(longer.gaps) == len(state.gaps) + 1
    assert blocks(longer) == blocks(state)
    if state.free:
        position = data.draw(st.sampled_from(state.free))
        shorter = state.deleted(position)
        assert position in shorter.gaps
        assert shorter.inserted(position, state.tokens[position]) == state


@given(states(), st.data())
def test_replace_keeps_the_labels(state: State, data: st.DataObject) -> None:
    position = data.draw(st.sampled_from([*state.free, state.end]))
    changed = state.replaced(position, 99)
    assert changed.owners == state.owners
    assert changed.replaced(position, state.tokens[position]) == state
    assert sum(a != b for a, b in zip(changed.tokens, state.tokens, strict=True)) == 1


@given(states(least_keywords=1), st.data())
def test_splice_changes_one_block(state: State, data: st.DataObject) -> None:
    keyword = data.draw(st.sampled_from(state.keywords))
    spliced = state.spliced(state.block(keyword), (71, 72, 73), keyword)
    assert blocks(spliced) == blocks(state) | {keyword: (71, 72, 73)}
    assert spliced.keywords == state.keywords
    assert [spliced.tokens[i] for i in spliced.free] == [state.tokens[i] for i in state.free]
