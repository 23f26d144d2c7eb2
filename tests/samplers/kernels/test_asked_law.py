"""Constraints that people ask for: the support is what the enumeration lists, and chains keep its law."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
import pytest

from samplers.constraints.acrostic import Acrostic
from samplers.constraints.base import Constraint
from samplers.constraints.counts import Counts
from samplers.constraints.ends_with import EndsWith
from samplers.constraints.framed import Framed
from samplers.constraints.leading_space import LeadingSpace
from samplers.constraints.length import LengthBounds
from samplers.constraints.length import tokens as length_in_tokens
from samplers.constraints.listed_words import ListedWords
from samplers.constraints.part import InPart, Part
from samplers.constraints.pattern import Pattern
from samplers.constraints.starts_with import StartsWith
from samplers.constraints.words import spaced_boundaries
from samplers.moves.swap import Swap
from samplers.patterns.automaton import Automaton
from samplers.spans import Span
from samplers.state import State
from samplers.testing.toy import ENDS, INTERIOR, PIECES, STOP, A, B, K, S, T, decode
from tests.samplers.checks import Exact, distance_to_target, one_step_deviation
from tests.samplers.enumeration import Space
from tests.samplers.spaces import MIXES, Case, blanks, words

LONGEST = 5


def spans(text: str) -> list[Span]:
    """The characters of each word."""
    return [match.span() for match in re.finditer(r"\w+", text)]


def first_letters(tokens: tuple[int, ...]) -> list[str]:
    """Of each clause that has a word."""
    return [clause.strip()[0] for clause in decode(tokens).replace("!", ".").split(".") if clause.strip()]


@dataclass(frozen=True)
class Asked:
    """A constraint, the same as a predicate, and a state that holds it."""

    constraint: Constraint
    space: Space
    first: State

    @property
    def case(self) -> Case:
        """With its length bounded."""
        bounds = LengthBounds(length_in_tokens, 0, self.space.longest)
        return Case("", self.space, (bounds, self.constraint), self.first, frozenset(), "edits")


ASKED = {
    "starts_with": Asked(
        StartsWith("a b"),
        Space(INTERIOR, ENDS, (((A, B),),), False, LONGEST, lambda x: decode(x).startswith("a b")),
        State.assemble([(0, (A, B))], STOP),
    ),
    "ends_with": Asked(
        EndsWith("kt", decode, "."),
        Space(INTERIOR, ENDS, (((K, T),), ((A,),)), False, LONGEST, lambda x: decode(x).endswith("kt.")),
        State.assemble([(1, (A,)), (0, (K, T))], STOP),
    ),
    "counts": Asked(
        Counts("a", 2, 2, spaced_boundaries),
        Space(INTERIOR, ENDS, (((A,),), ((A,),)), False, 4, lambda x: words(x).count("a") == 2),
        State.assemble([(0, (A,)), (1, (A,))], STOP),
    ),
    "vocabulary": Asked(
        ListedWords({"a", "b"}, spans, decode),
        Space(INTERIOR, ENDS, (((K, T),),), False, LONGEST, lambda x: {*words(x)} <= {"a", "b", "kt"}),
        State.assemble([(0, (K, T))], STOP),
    ),
    "acrostic": Asked(
        Acrostic("AB"),
        Space(INTERIOR, ENDS, (((STOP, B),),), False, LONGEST, lambda x: first_letters(x) == ["a", "b"]),
        State.assemble([(-1, (A,)), (0, (STOP, B))], STOP),
    ),
    "pattern": Asked(
        Pattern(Automaton.compile("a( ?[abcs])* kt(.| b.)", "abcst .!k")),
        Space(
            INTERIOR,
            ENDS,
            (((K, T),),),
            False,
            LONGEST,
            lambda x: bool(re.fullmatch("a( ?[abcs])* kt(.| b.)", decode(x))),
        ),
        State.assemble([(-1, (A,)), (-1, (B,)), (0, (K, T))], STOP),
    ),
    "framed": Asked(
        Framed(0, None, {STOP}),
        Space(INTERIOR, ENDS, (((K, T),),), False, LONGEST, lambda x: x[:2] == (K, T) and x[-1] == STOP),
        State.assemble([(0, (K, T)), (-1, (A,))], STOP),
    ),
    "part": Asked(
        InPart(Part(0, 1), LengthBounds(length_in_tokens, 1, 2), decode),
        Space(INTERIOR, ENDS, (((K,),), ((T,),)), False, LONGEST, lambda x: x.index(T) - x.index(K) in (2, 3)),
        State.assemble([(0, (K,)), (-1, (A,)), (1, (T,))], STOP),
    ),
    "leading space of a part": Asked(
        InPart(Part(0, None), LeadingSpace(PIECES.__getitem__, True), decode),
        Space(INTERIOR, ENDS, (((K, T),),), False, LONGEST, lambda x: x[x.index(T) + 1] != S),
        State.assemble([(0, (K, T)), (-1, (A,))], STOP),
    ),
}
every_one = pytest.mark.parametrize("name", ASKED)


@cache
def exact(name: str) -> Exact:
    """Shared by the tests of one law."""
    return Exact.of(ASKED[name].case.law(MIXES["edits"]), ASKED[name].first)


@every_one
def test_the_support_is_what_the_predicate_admits(name: str) -> None:
    case = ASKED[name].case
    every = Space(INTERIOR, ENDS, case.space.forms, False, case.space.longest, lambda x: True).states()
    admitted = {x.labelled for x in every if case.target().admits(State(*x.labelled))}
    assert admitted == {x.labelled for x in case.space.states()}
    assert 0 < len(admitted) < len(every)


@every_one
def test_chains_keep_the_law(name: str) -> None:
    case, law = ASKED[name].case, exact(name)
    flow = law.pi[:, None] * law.matrix
    assert np.abs(flow - flow.T).max() <= 1e-10 and len(law.states) > 4
    kernel = case.kernel(MIXES["edits"])
    assert abs(one_step_deviation(kernel, case.model, law, seed=3, tries=100)) < 4
    assert distance_to_target(kernel, case.model, law, seed=7).holds


def test_blanks_keep_the_law() -> None:
    """Two blanks, as they are laid out for a text, under every move that a text's blanks have."""
    case = blanks()
    mix = {"replace": 0.2, "insert": 0.25, "delete": 0.15, "redraw": 0.15, "redraw_span": 0.15, "shift": 0.1}
    law = Exact.of(case.law(mix), case.first)
    assert len(law.states) == len(case.space.states()) > 20, "every filling is reached from every other"
    kernel = case.kernel(mix)
    assert abs(one_step_deviation(kernel, case.model, law, seed=3, tries=100)) < 4
    assert distance_to_target(kernel, case.model, law, seed=7).holds


def test_only_some_blocks_are_swapped() -> None:
    state = State.assemble([(0, (A,)), (1, (B,)), (2, (K, T))], STOP)
    rng, orders = np.random.default_rng(0), set()
    for _ in range(20):
        draft = Swap(among=2).draft(state, rng, {}, 1.0)
        assert draft is not None
        orders.add(tuple(draft.finish(None).state.keywords))  # type: ignore[arg-type]
    assert orders == {(1, 0, 2)}
    assert Swap(among=1).draft(state, rng, {}, 1.0) is None
