"""First states are built for every space that has one, and refused where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from samplers.constraints.base import Constraint
from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.length import LengthBounds
from samplers.constraints.length import tokens as length_in_tokens
from samplers.constraints.words import spaced_boundaries
from samplers.first_states import InfeasibleError, KeywordBlocks, construct
from samplers.run import generators
from samplers.state import State
from samplers.target import Target
from tests.samplers.toy import INTERIOR, STOP, A, B, K, S, T, ToyLanguage, decode

FORMS = (((A,),), ((K, T), (B,)))


def build(
    forms: Sequence[Sequence[tuple[int, ...]]],
    *constraints: Constraint,
    chains: int = 8,
    ordered: bool = False,
    seed: int = 3,
    reach: int = 3,
) -> list[State]:
    target = Target(decode, constraints)
    states = asyncio.run(
        construct(KeywordBlocks(forms, ordered, STOP), target, ToyLanguage(), generators(seed, chains), reach=reach)
    )
    assert len(states) == chains
    for state in states:
        assert target.admits(state)
        assert state.tokens[-1] == STOP
        assert sorted(state.keywords) == list(range(len(forms)))
        assert all(state.tokens[state.block(k)] in forms[k] for k in state.keywords)
        assert all(state.tokens[i] in INTERIOR for i in state.free)
    return states


def test_of_several_drafts_a_chain_keeps_the_densest_and_does_not_know_its_neighbours() -> None:
    model, target = ToyLanguage(), Target(decode, (LengthBounds(length_in_tokens, 0, 9),), length_reward=0.5)

    def densities(drafts: int, chains: int) -> list[float]:
        states = asyncio.run(
            construct(KeywordBlocks(FORMS, False, STOP), target, model, generators(5, chains), drafts=drafts)
        )
        assert all(target.admits(state) for state in states)
        scored = asyncio.run(model.score([state.tokens for state in states], [None] * chains))
        return [
            target.log_density(state, float(score.log_probs.sum()), 1.0)
            for state, score in zip(states, scored, strict=True)
        ]

    eight = densities(8, 30)
    assert sum(eight) / 30 > sum(densities(1, 30)) / 30 + 1.0
    assert densities(8, 7) == eight[:7]


def test_keywords_alone_where_nothing_more_is_asked() -> None:
    states = build(FORMS, chains=40, reach=0)
    assert all(not state.free for state in states)
    # Every order and form comes up.
    assert len(set(states)) == 4


def test_order_is_kept() -> None:
    assert all(state.keywords == [0, 1] for state in build(FORMS, ordered=True, chains=20))


def test_no_keywords() -> None:
    assert build((), chains=2, reach=0) == [State((STOP,), (-2,))] * 2
    assert all(len(state) <= 4 for state in build((), chains=20))


def test_a_draft_writes_at_most_its_reach_before_each_block() -> None:
    states = build(FORMS, chains=60, reach=2)
    assert len({state.tokens for state in states}) > 10
    for state in states:
        runs = "".join("f" if owner == -1 else "|" for owner in state.owners).split("|")
        assert max(map(len, runs)) <= 2


@pytest.mark.parametrize("minimum", [2, 6, 12])
def test_reaches_a_least_length(minimum: int) -> None:
    states = build(FORMS, LengthBounds(length_in_tokens, minimum, minimum + 1))
    assert all(minimum <= len(state) <= minimum + 1 for state in states)


def test_least_length_without_keywords() -> None:
    assert all(len(state) == 5 for state in build((), LengthBounds(length_in_tokens, 5, 5)))


@pytest.mark.parametrize("reach", [0, 3])
def test_words_that_fuse_are_parted(reach: int) -> None:
    """ " a" before "s" reads "as": another order, or a word between that itself takes the "s"."""
    forms = (((A,),), ((S,),))
    states = build(forms, AllKeywords((("a",),), spaced_boundaries), chains=20, reach=reach)
    assert {tuple(state.keywords) for state in states} == {(0, 1), (1, 0)}


def test_a_form_that_cannot_stand_is_drawn_again() -> None:
    """Bare "t" is a word only at the beginning; its other form " k" "t" never is the word "t"."""
    forms = (((A,),), ((T,), (K, T)))
    states = build(forms, AllKeywords((("a",), ("t",)), spaced_boundaries), chains=20)
    assert {state.tokens[state.block(1)] for state in states} == {(T,)}


@pytest.mark.parametrize(
    ("forms", "constraint", "ordered"),
    [
        (FORMS, LengthBounds(length_in_tokens, 0, 2), False),
        (FORMS, ForbiddenWords(("a",)), False),
        ((((A,),), ((T,),)), AllKeywords((("a",), ("t",)), spaced_boundaries, ordered=True), True),
    ],
    ids=["too short", "keyword forbidden", "order impossible"],
)
def test_the_impossible_is_refused(
    forms: Sequence[Sequence[tuple[int, ...]]], constraint: Constraint, ordered: bool
) -> None:
    with pytest.raises(InfeasibleError, match="closest"):
        build(forms, constraint, ordered=ordered)


def test_a_chain_begins_alike_whatever_its_neighbours() -> None:
    constraint = LengthBounds(length_in_tokens, 7, 9)
    many = build(FORMS, constraint, chains=9)
    assert build(FORMS, constraint, chains=2) == many[:2]
    assert build(FORMS, constraint, chains=9) == many
    assert build(FORMS, constraint, chains=9, seed=4) != many
