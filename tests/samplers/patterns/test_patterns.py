"""Patterns: the language is that of Python's `re`, states are bounded, skeletons are shortest matches."""

from __future__ import annotations

import re
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from samplers.constraints.pattern import Pattern
from samplers.first_states import KeywordBlocks
from samplers.patterns.automaton import MOST_STATES, Automaton, ExplosionError
from samplers.patterns.skeleton import Skeletons
from samplers.patterns.syntax import PatternError, parse
from samplers.state import State
from samplers.testing.toy import BANG, ENDS, INTERIOR, PIECES, STOP, A, B, K, T, decode

ALPHABET = "ab1_ 。\n"

ATOMS = st.sampled_from(
    [*"ab1_。", ".", r"\d", r"\w", r"\s", r"\D", r"\W", r"\S", "[ab]", "[^a]", r"[\d_-]", "[a-c1]", r"\."]
)
PATTERNS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda parts: f"({'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{0,2}", "{1,}", "{,2}", "*?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@given(PATTERNS, st.lists(st.text(ALPHABET, max_size=6), max_size=12))
def test_the_language_is_that_of_re(pattern: str, texts: list[str]) -> None:
    matches = re.compile(pattern).fullmatch
    try:
        constraint = Pattern(Automaton.compile(pattern, ALPHABET))
    except ValueError:
        assert not any(map(matches, texts))
        return
    for text in texts:
        assert (constraint.violation(State((), ()), text) == 0) == (matches(text) is not None), (pattern, text)


@pytest.mark.parametrize(
    ("pattern", "at"),
    [
        ("a(b", 1), ("a)b", 1), ("[ab", 0), ("*a", 0), ("a|+", 2), (r"a\b", 1), (r"(a)\1", 3), ("(?=a)", 0),
        ("(?i)a", 0), ("a++", 2), ("a{3,2}", 1), ("a^b", 1), ("a$b", 1), ("a\\", 1), ("[b-a]", 0),
        ("(" * 60 + ")" * 60, 51),
    ],
)  # fmt: skip
def test_what_is_not_read_says_where(pattern: str, at: int) -> None:
    with pytest.raises(PatternError) as caught:
        parse(pattern)
    assert caught.value.at == at


@pytest.mark.parametrize(("pattern", "same"), [("^ab$", "ab"), (r"\u0061b", "ab"), ("a{b", r"a\{b"), ("[]]", r"\]")])
def test_other_ways_of_writing(pattern: str, same: str) -> None:
    assert str(parse(pattern)) == str(parse(same)) and parse(pattern) == parse(same)


@pytest.mark.parametrize("pattern", [".*a.{14}", "(.*a){20}.{30}(b|1)", "(((a{99}){99}){99}){99}", "(a?){9999}a{9999}"])
def test_what_explodes_is_refused_soon(pattern: str) -> None:
    started = time.process_time()
    with pytest.raises(ExplosionError, match="more than"):
        Automaton.compile(pattern, ALPHABET)
    assert time.process_time() - started < 5


def test_states_are_bounded_but_many_may_be() -> None:
    assert len(Automaton.compile(".*a.{9}", "ab").table) <= MOST_STATES


def test_characters_outside_the_alphabet_are_of_their_kind() -> None:
    automaton = Automaton.compile("[^a]b", "abc")
    assert automaton.read("zb") == (2, automaton.read("cb")[1])
    assert Automaton.compile("[ab]", "ab").read("z") == (0, 0)


@pytest.mark.parametrize(
    ("text", "distance"), [("ab。", 0), ("ab", 1), ("a", 2), ("", 3), ("b。", 5), ("ab。b", 1), ("aa。", 4)]
)
def test_distance(text: str, distance: float) -> None:
    assert Pattern(Automaton.compile("ab。", "ab。")).violation(State((), ()), text) == distance


def test_a_text_that_cannot_be_completed_is_lost_at_once() -> None:
    """After "b" only an "x" would do, which the alphabet lacks."""
    assert Automaton.compile("a.|bx", "ab").read("ba") == (0, 0)


def skeletons(pattern: str, blocks: KeywordBlocks) -> set[State | None]:
    automaton = Automaton.compile(pattern, set("".join(PIECES)))
    drawn = Skeletons(automaton, blocks, PIECES.__getitem__, INTERIOR, INTERIOR, ENDS)
    rng = np.random.default_rng(1)
    return {drawn.draw(rng) for _ in range(30)}


def test_skeletons_are_shortest_matches_with_all_blocks() -> None:
    blocks = KeywordBlocks((((K, T),), ((A,),)), False, STOP)
    found = skeletons(r".* b .*kt.+", blocks)
    assert len(found) > 3
    for state in found:
        assert state is not None and sorted(state.keywords) == [0, 1]
        assert re.fullmatch(r".* b .*kt.+", decode(state.tokens)) and len(state.free) <= 2
    assert {state.keywords[0] for state in found if state} == {0, 1}


def test_skeletons_keep_outer_blocks_and_closing_marks() -> None:
    blocks = KeywordBlocks((((B,),), ((A,),)), False, STOP, opening=(1,), closing=(0,))
    assert skeletons("a.* b!", blocks) == {State((A, B, BANG), (1, 0, -2))}
    assert skeletons("b.*", blocks) == {None}
    assert {state.owners for state in skeletons("a .. b.", blocks) if state} == {(1, -1, -1, 0, -2)}


def test_a_pattern_of_one_kind_of_character_has_skeletons() -> None:
    found = skeletons(".{4}", KeywordBlocks((((A,),),), False, STOP))
    assert found and all(state is not None and len(decode(state.tokens)) == 4 for state in found)
