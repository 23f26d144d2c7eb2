"""First states are built for every space that has one, and refused where there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pytest

from samplers.constraints.base import Constraint
from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.keywords import AllKeywords
from samplers.constraints.length import LengthBounds
from samplers.constraints.length import tokens as length_in_tokens
from samplers.constraints.words import spaced_boundaries
from samplers.first_states import InfeasibleError, KeywordBlocks, construct, from_text
from samplers.objective import Objective
from samplers.run import generators
from samplers.state import State
from samplers.target import Target
from samplers.testing.toy import INTERIOR, STOP, A, B, C, K, S, T, ToyLanguage, decode

FORMS = (((A,),), ((K, T), (B,)))


def build(
    forms: Sequence[Sequence[tuple[int, ...]]],
    *constraints: Constraint,
    chains: int = 8,
    ordered: bool = False,
    seed: int = 3,
    max_free_tokens: int = 3,
) -> list[State]:
    target = Target(decode, constraints)
    states = asyncio.run(
        construct(
            KeywordBlocks(forms, ordered, STOP),
            target,
            ToyLanguage(),
            generators(seed, chains),
            max_free_tokens=max_free_tokens,
        )
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
    model, bounds = ToyLanguage(), LengthBounds(length_in_tokens, 0, 9)
    target = Target(decode, (bounds,), objective=Objective(length_reward=0.5))

    def densities(drafts: int, chains: int) -> list[float]:
        states = asyncio.run(
            construct(KeywordBlocks(FORMS, False, STOP), target, model, generators(5, chains), drafts=drafts)
        )
        assert all(target.admits(state) for state in states)
        scored = asyncio.run(model.score([state.tokens for state in states], [None] * chains))
        return [
            target.log_density(state, score.log_probs, 0.0, 1.0) for state, score in zip(states, scored, strict=True)
        ]

    eight = densities(8, 30)
    assert sum(eight) / 30 > sum(densities(1, 30)) / 30 + 1.0
    assert densities(8, 7) == eight[:7]


def test_keywords_alone_where_nothing_more_is_asked() -> None:
    states = build(FORMS, chains=40, max_free_tokens=0)
    assert all(not state.free for state in states)
    # Every order and form comes up.
    assert len(set(states)) == 4


def test_order_is_kept() -> None:
    assert all(state.keywords == [0, 1] for state in build(FORMS, ordered=True, chains=20))


def test_no_keywords() -> None:
    assert build((), chains=2, max_free_tokens=0) == [State((STOP,), (-2,))] * 2
    assert all(len(state) <= 4 for state in build((), chains=20))


def test_a_draft_writes_at_most_its_most_free_tokens_before_each_block() -> None:
    states = build(FORMS, chains=60, max_free_tokens=2)
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


@pytest.mark.parametrize("max_free_tokens", [0, 3])
def test_words_that_fuse_are_parted(max_free_tokens: int) -> None:
    """ " a" before "s" reads "as": another order, or a word between that itself takes the "s"."""
    forms = (((A,),), ((S,),))
    states = build(forms, AllKeywords((("a",),), spaced_boundaries), chains=20, max_free_tokens=max_free_tokens)
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


def test_a_text_is_the_first_state_of_every_chain() -> None:
    text = from_text((A, K, T, B, STOP), [slice(1, 3)])
    assert text == State((A, K, T, B, STOP), (-1, 0, 0, -1, -2))
    target = Target(decode, (LengthBounds(length_in_tokens, 3, 6),))
    assert asyncio.run(construct(text, target, ToyLanguage(), generators(1, 3))) == [text] * 3


def test_a_text_is_repaired_into_the_support() -> None:
    text = from_text((A, K, T, B, S, STOP), [slice(1, 3)])
    target = Target(decode, (LengthBounds(length_in_tokens, 0, 4),))
    states = asyncio.run(construct(text, target, ToyLanguage(), generators(1, 3)))
    assert all(target.admits(state) and state.tokens[state.block(0)] == (K, T) for state in states)
    impossible = Target(decode, (LengthBounds(length_in_tokens, 0, 2),))
    with pytest.raises(InfeasibleError, match="closest"):
        asyncio.run(construct(text, impossible, ToyLanguage(), generators(1, 3), max_rounds=7))


def test_what_no_chain_reaches_is_refused_sooner_than_one_chain_gives_up() -> None:
    impossible = Target(decode, (LengthBounds(length_in_tokens, 0, 2),))
    rounds = []
    for chains in (1, 20):
        language = ToyLanguage()
        with pytest.raises(InfeasibleError, match="closest"):
            asyncio.run(
                construct(
                    from_text((A, K, T, B, S, STOP), [slice(1, 3)]),
                    impossible,
                    language,
                    generators(1, chains),
                    max_rounds=30,
                )
            )
        rounds.append(sum(name == "score" for name, _ in language.calls))
    assert rounds[0] >= 30
    # Twenty chains have 4 x 30 failures together, and each first comes as near as it can.
    assert 6 <= rounds[1] <= rounds[0] // 2


def test_a_long_sentence_that_goes_no_further_is_not_written_anew_each_time() -> None:
    @dataclass(frozen=True, slots=True)
    class AtMostThrice(Constraint):
        def violation(self, state: State, text: str) -> float:
            return sum(max(0, state.tokens.count(token) - 3) for token in INTERIOR)

    language = ToyLanguage()
    # Four tokens thrice each are twelve, and a closing one: too few for eighteen.
    impossible = Target(decode, (LengthBounds(length_in_tokens, 18, 20), AtMostThrice()))
    with pytest.raises(InfeasibleError, match="closest"):
        asyncio.run(construct(KeywordBlocks((((A,),),), False, STOP), impossible, language, generators(1, 1)))
    failures, to_write = 60, 12
    rounds = sum(name == "score" for name, _ in language.calls)
    assert rounds < failures + failures // 3 * to_write / 2


@pytest.mark.parametrize(
    ("tokens", "blocks"),
    [((), []), ((A, STOP), [slice(0, 2)]), ((A, B, STOP), [slice(0, 2), slice(1, 2)]), ((A, STOP), [slice(1, 1)])],
)
def test_a_text_without_its_end_or_with_overlapping_blocks_is_refused(
    tokens: tuple[int, ...], blocks: list[slice]
) -> None:
    with pytest.raises(ValueError, match=r"closing token|is not free"):
        from_text(tokens, blocks)


class Opens:
    """Density 0 unless the sentence opens with a token."""

    def __init__(self, token: int) -> None:
        self.token = token

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> np.ndarray:
        return np.where([state.tokens[0] == self.token for state in states], 0.0, -np.inf)


@pytest.mark.parametrize("drafts", [1, 3])
def test_states_of_density_zero_are_drawn_again(drafts: int) -> None:
    def build(chains: int, token: int, rounds: int = 60) -> list[State]:
        return asyncio.run(
            construct(
                KeywordBlocks(FORMS, False, STOP),
                Target(decode, potential=Opens(token)),
                ToyLanguage(),
                generators(5, chains),
                drafts=drafts,
                max_rounds=rounds,
            )
        )

    states = build(12, B)
    assert all(state.tokens[0] == B for state in states)
    assert build(3, B) == states[:3]
    with pytest.raises(InfeasibleError, match="density 0 by the potential"):
        build(2, STOP, rounds=3)


def test_a_text_of_density_zero_is_refused() -> None:
    target = Target(decode, potential=Opens(B))
    with pytest.raises(InfeasibleError, match="density 0 by the potential; the last was 'a\\.'"):
        asyncio.run(construct(from_text((A, STOP)), target, ToyLanguage(), generators(1, 2)))


def test_outer_blocks_and_rows_stand_where_they_belong() -> None:
    forms = (((A,),), ((B,),), ((K, T),), ((C,),), ((K,),))
    blocks = KeywordBlocks(forms, False, STOP, opening=(4,), closing=(3,), rows=((1, 0),))
    states = asyncio.run(construct(blocks, Target(decode), ToyLanguage(), generators(2, 60)))
    orders = {tuple(state.keywords) for state in states}
    assert orders == {(4, 2, 1, 0, 3), (4, 1, 2, 0, 3), (4, 1, 0, 2, 3)}
    assert set(blocks.orders()) == orders
    for state in states:
        assert state.owners[0] == 4 and state.owners[-2] == 3
    assert any(state.free for state in states)


def test_a_scaffold_is_free_in_the_first_state() -> None:
    blocks = KeywordBlocks((((A,),), ((B, C),)), True, STOP, scaffold={1})
    for free in (0, 2):
        states = asyncio.run(construct(blocks, Target(decode), ToyLanguage(), generators(2, 9), max_free_tokens=free))
        assert all(state.keywords == [0] and "b c" in decode(state.tokens) for state in states)


def test_the_repair_inserts_several_tokens_at_once() -> None:
    """No single insertion goes nearer: "k" alone is as far, and never proposed."""
    blocks = KeywordBlocks((((A,),),), True, STOP, inserts=((K, T),))
    target = Target(decode, (AllKeywords((("kt",),), spaced_boundaries),))
    states = asyncio.run(construct(blocks, target, ToyLanguage(), generators(2, 9), max_free_tokens=0))
    assert all(target.admits(state) and state.tokens[state.free[0]] == K for state in states)
