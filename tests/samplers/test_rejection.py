"""Rejection sampling: its draws are independent samples of the enumerated law."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from math import inf, log

import numpy as np
import pytest

from samplers.constraints.forbidden import ForbiddenWords
from samplers.constraints.length import LengthBounds, characters
from samplers.first_states import KeywordBlocks
from samplers.labellings import Reading, labellings
from samplers.rejection import Rejection
from samplers.state import END, FREE, State
from samplers.target import Target
from samplers.testing import pearson
from samplers.testing.toy import STOP, A, B, C, K, S, ToyLanguage, decode
from tests.samplers.draws import Whole, blocks, closes, free, last_of
from tests.samplers.spaces import cases

CASES = {case.name: case for case in cases()}


def sampler(name: str, soft: bool = False, **options: object) -> Rejection:
    case = CASES[name]
    fields: dict = {"draws": 50_000, "samples": 600, "max_tokens": case.space.longest, "batch": 500} | options
    return Rejection(case.target(soft), blocks(case), free, closes, **fields)


def deviation(name: str, soft: bool = False, **options: object) -> float:
    """Standard deviations by which kept draws miss the law."""
    whole = Whole.of(CASES[name], 1.0, soft)
    last = last_of(sampler(name, soft, **options).run(CASES[name].model, 5))
    assert last.outcome is not None and last.outcome.kept == len(last.chains) > 200
    counts = whole.shares([chain.state for chain in last.chains]) * len(last.chains)
    statistic, freedom = pearson(np.rint(counts), len(last.chains) * whole.pi)
    return float((statistic - freedom) / np.sqrt(2 * freedom))


@pytest.mark.parametrize(
    ("name", "soft"), [("free", False), ("forms", False), ("duplicates", False), ("duplicates", True)]
)
def test_kept_draws_have_the_law(name: str, soft: bool) -> None:
    assert deviation(name, soft) < 4


def test_counting_each_text_once_is_another_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake that the weight is for: a text with two labellings is as likely as both."""
    monkeypatch.setattr("samplers.rejection.log_sum", lambda logs: 0.0)
    assert deviation("duplicates", samples=3000) > 8


def test_a_ceiling_known_beforehand_thins_from_the_first_draw_on() -> None:
    last = last_of(sampler("duplicates", ceiling=log(3), draws=500).run(ToyLanguage(), 5))
    assert last.outcome is not None and last.outcome.ceiling == pytest.approx(log(3))
    met = last_of(sampler("duplicates").run(ToyLanguage(), 5))
    assert met.outcome is not None and met.outcome.ceiling == pytest.approx(log(3)), "met by itself, in time"


def test_it_ends_at_the_cap_with_what_it_has() -> None:
    last = last_of(sampler("forms", draws=70, batch=32, samples=1000).run(ToyLanguage(), 1))
    assert last.outcome is not None and last.number == last.outcome.drawn == 70
    assert last.outcome.kept == len(last.chains) < 70


def test_it_ends_when_it_has_enough_and_the_batch_changes_no_draw() -> None:
    one, other = (last_of(sampler("free", samples=5, batch=size).run(ToyLanguage(), 2)) for size in (4, 64))
    assert [chain.state for chain in one.chains] == [chain.state for chain in other.chains]
    assert len(one.chains) == 5 and one.number < 50_000


class Counted(ToyLanguage):
    """Counts the tokens of what it scores."""

    read = 0

    async def score(self, sentences, bases):  # type: ignore[no-untyped-def]
        self.read += sum(map(len, sentences))
        return await super().score(sentences, bases)


def test_hopeless_beginnings_are_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A constraint that knows early saves the rest of a draw, and changes none that is kept."""
    short = Target(decode, [LengthBounds(characters, 0, 4), ForbiddenWords(["c"])])
    options = Rejection(short, KeywordBlocks([[(A,)]], False, STOP), free, closes, 300, 300, 12, 300)
    early, late = Counted(), Counted()
    kept = [chain.state for chain in last_of(options.run(early, 1)).chains]
    monkeypatch.setattr(LengthBounds, "hopeless", lambda *_: False)
    monkeypatch.setattr(ForbiddenWords, "hopeless", lambda *_: False)
    assert kept == [chain.state for chain in last_of(options.run(late, 1)).chains] != []
    assert early.read < 0.8 * late.read


def test_a_closing_mark_inside_a_keyword_is_read_both_ways() -> None:
    """'a' and 'a.' are forms of one keyword, so 'a b.' ends at its mark, or goes on, as 'a b a. b.' does not."""
    keyword = KeywordBlocks([[(A,), (B, STOP)]], False, STOP)
    reading = Reading.empty(keyword, free)
    for token in (A, B):
        reading = reading.after(token)
    assert reading.complete and reading.after(STOP).complete
    target = Target(decode, [])
    case = CASES["duplicates"]
    law = case.law({"replace": 1.0})
    space = replace(law.space, forms=(((A,), (B, STOP)),), longest=4)
    whole = Whole.of(replace(case, space=space))
    rejection = Rejection(target, keyword, free, closes, 12_000, 800, 4, 500)
    last = last_of(rejection.run(case.model, 3))
    counts = whole.shares([chain.state for chain in last.chains]) * len(last.chains)
    statistic, freedom = pearson(np.rint(counts), len(last.chains) * whole.pi)
    assert (statistic - freedom) / np.sqrt(2 * freedom) < 4


def test_labellings_are_those_of_the_enumeration() -> None:
    for case in CASES.values():
        by_tokens: dict[tuple[int, ...], set[State]] = {}
        for x in case.space.states():
            by_tokens.setdefault(x.tokens, set()).add(State(*x.labelled))
        for tokens, states in list(by_tokens.items())[::7]:
            found = labellings(tokens, blocks(case), free)
            assert len(found) == len(set(found)) and set(found) == states


def test_outer_blocks_and_rows_keep_their_places() -> None:
    """Against all placements of all orders, over sentences of the toy's tokens."""
    outer = KeywordBlocks([[(A,)], [(B,)], [(C,)], [(S,)]], False, STOP, opening=[2], closing=[3], rows=[[1, 0]])
    assert set(outer.orders()) == {(2, 1, 0, 3)}
    for gaps in product(((), (A,), (B, B)), repeat=2):
        tokens = (C, *gaps[0], B, *gaps[1], A, S, STOP)
        found = labellings(tokens, outer, free)
        assert all(tuple(state.keywords) == (2, 1, 0, 3) for state in found)
        placed = [(i, j) for i in range(1, len(tokens) - 2) for j in range(i) if tokens[i] == A and tokens[j] == B]
        assert len(found) == len(placed) > 0
        reading = Reading.empty(outer, free)
        for token in tokens[:-1]:
            reading = reading.after(token)
        assert reading.complete
    assert not labellings((A, C, B, A, S, STOP), outer, free) and not labellings((C, B, A, S, A, STOP), outer, free)
    assert not labellings((C, A, B, S, STOP), outer, free)


def test_a_reading_knows_what_is_still_needed() -> None:
    reading = Reading.empty(KeywordBlocks([[(A, S)], [(K,), (B, B)]], True, STOP), free)
    assert reading.needed == 4 and not reading.complete
    assert reading.after(A).needed == 3
    assert not reading.after(K).fronts, "a token that only spells, and the second keyword before the first"
    assert reading.after(A).after(S).after(K).complete
    assert reading.after(C).fronts == {(frozenset({0, 1}), ())}


def test_constraints_of_no_opinion_leave_a_beginning_alone() -> None:
    beginning = State((A, A), (FREE, FREE))
    words = LengthBounds(lambda state, text: len(text.split()), 0, 1)
    assert words.hopeless(beginning, "a a") and not replace(words, grows=False).hopeless(beginning, "a a")
    assert not words.hopeless(beginning, "aa")
    assert LengthBounds(characters, 0, 2).hopeless(beginning, "a a")
    assert not LengthBounds(characters, 0, 3).hopeless(beginning, "a a")
    assert State((A,), (END,)).end == 0 and -inf < log(2)
