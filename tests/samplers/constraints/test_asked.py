"""Constraints that people ask for: openings, endings, counts, words of a list, acrostics."""

from __future__ import annotations

import re

import pytest

from samplers.constraints.acrostic import Acrostic, initials
from samplers.constraints.counts import Counts, count
from samplers.constraints.ends_with import EndsWith
from samplers.constraints.listed_words import ListedWords
from samplers.constraints.starts_with import StartsWith
from samplers.constraints.words import spaced_boundaries
from samplers.state import State
from tests.samplers.constraints.test_constraints import STATE, written


@pytest.mark.parametrize(
    ("text", "distance"),
    [("今天下雨。", 0), ("昨今天下雨。", 1), ("昨天下雨。", 7), ("今晚下雨。", 6), ("今", 2), ("", 2)],
)
def test_an_opening_is_as_far_as_it_stands(text: str, distance: float) -> None:
    assert StartsWith("今天").violation(STATE, text) == distance


@pytest.mark.parametrize(
    ("pieces", "ending", "mark", "distance"),
    [
        (("我", "很", "开心", "！"), "很开心", "！", 0),
        (("我", "很", "开心", "。"), "很开心", "！", 1),
        (("我", "很", "开心", "。"), "很开心", "", 0),
        (("我", "很", "开心", "了", "。"), "很开心", "", 1),
        (("我", "开心", "。"), "很开心", "", 4),
        (("很", "。"), "", "！", 1),
    ],
)
def test_an_ending_is_as_far_as_it_stands(pieces: tuple[str, ...], ending: str, mark: str, distance: float) -> None:
    state, text, decode = written(*pieces)
    assert EndsWith(ending, decode, mark).violation(state, text) == distance


def test_occurrences_do_not_overlap_and_case_is_ignored() -> None:
    assert count("哈哈", "哈哈哈哈哈。") == 2
    assert count("art", "Art for art, party.", spaced_boundaries) == 2
    assert count("art", "Art for art, party.") == 3
    assert count("park", "İ park.", spaced_boundaries) == 1


@pytest.mark.parametrize(("text", "distance"), [("a.", 2), ("a a a.", 0), ("a a a a.", 0), ("a a a a a a.", 2)])
def test_counts_missing_and_too_many(text: str, distance: float) -> None:
    assert Counts("a", 3, 4, spaced_boundaries).violation(State((), ()), text) == distance
    assert Counts("a", 0, None).violation(State((), ()), text) == 0


@pytest.mark.parametrize(
    ("pieces", "distance"),
    [
        (("The", " old", " dog", "."), 0),
        (("old", " The", " dog", "."), 3),
        (("cat", " old", ",", " big", "!"), 6),
        (("the", "[[ big+ red]]", " dog", "."), 0),
        (("the", "[[ big]]", "ger", "."), 6),
        ((".",), 0),
    ],
)
def test_words_of_a_list_and_of_keywords(pieces: tuple[str, ...], distance: float) -> None:
    state, text, decode = written(*pieces)
    constraint = ListedWords({"the", "old", "dog"}, lambda text: [m.span() for m in re.finditer(r"\w+", text)], decode)
    assert constraint.violation(state, text) == distance


def test_initials_are_of_clauses() -> None:
    assert initials("春天来了，夏天；“秋天”。冬！") == "春夏秋冬"
    assert initials("The U.S.A is 3.5, or 1,000 big; (so) it is.") == "Tos"
    assert initials("，。") == ""


@pytest.mark.parametrize(
    ("text", "distance"),
    [("春天，夏天，秋天。", 0), ("春天，夏天。", 1), ("春天，秋天，夏天。", 2), ("春，夏，秋，冬。", 1), ("。", 3)],
)
def test_clauses_of_an_acrostic(text: str, distance: float) -> None:
    assert Acrostic("春夏秋").violation(STATE, text) == distance
    assert Acrostic("AbC").violation(STATE, "a B c, be, Cat.") == 0
