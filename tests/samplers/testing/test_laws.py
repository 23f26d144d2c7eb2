"""Every constraint, potential, move and kernel of the package under the laws that a user's own are tested with."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from samplers import (
    Acrostic,
    AllKeywords,
    CapitalForms,
    CapitalOpening,
    Counts,
    Delete,
    EndsWith,
    ForbiddenWords,
    Framed,
    InPart,
    Insert,
    LeadingSpace,
    LengthBounds,
    ListedWords,
    NoStutter,
    Part,
    Pattern,
    Product,
    Proposal,
    Redraw,
    RedrawSpan,
    Reform,
    Replace,
    Shift,
    StartsWith,
    State,
    Swap,
    TidyPunctuation,
    WholePhrases,
    from_text,
)
from samplers.constraints.length import tokens
from samplers.constraints.words import spaced_boundaries
from samplers.kernels.delayed import DelayedAcceptance
from samplers.kernels.metropolis import MetropolisHastings
from samplers.language import ProposalReply
from samplers.moves.base import Draft, MoveWeights
from samplers.patterns.automaton import Automaton
from samplers.testing import KernelLaws, MoveLaws, PotentialLaws
from samplers.testing.toy import BANG, ENDS, PIECES, STOP, A, B, K, S, T, decode
from tests.samplers.kernels.test_asked_law import spans
from tests.samplers.spaces import EPSILON, MIXES, SHARE, CountA, Network, cases
from tests.samplers.strategies import FORMS

PLAIN = [from_text(text) for text in ((STOP,), (A, STOP), (A, B, STOP), (B, B, A, BANG), (A, S, A, S, STOP), (K, STOP))]
CASES = {case.name: case for case in cases()}


class TestAllKeywords(PotentialLaws):
    potential = AllKeywords((("a",), ("b",)), spaced_boundaries)
    states = PLAIN


class TestForbiddenWords(PotentialLaws):
    potential = ForbiddenWords(("b",), spaced_boundaries)
    states = PLAIN


class TestLengthBounds(PotentialLaws):
    potential = LengthBounds(tokens, 2, 3)
    states = PLAIN


class TestNoStutter(PotentialLaws):
    potential = NoStutter(decode)
    states = PLAIN


class TestCapitalOpening(PotentialLaws):
    potential = CapitalOpening()
    states = PLAIN


class TestTidyPunctuation(PotentialLaws):
    potential = TidyPunctuation(decode)
    states = (*PLAIN, from_text((STOP, A, STOP)), from_text((A, STOP, BANG)))


class TestWholePhrases(PotentialLaws):
    potential = WholePhrases(decode)
    states = PLAIN


class TestCapitalForms(PotentialLaws):
    potential = CapitalForms((("b", "B"),), staticmethod(lambda ids: " ".join("BaB"[i] for i in ids)))
    states = (from_text((0, 1, 2), [slice(0, 1)]), from_text((1, 0, 2), [slice(1, 2)]))


FRAMED = [
    State((K, A, T, STOP), (0, -1, 1, -2)),
    State((A, K, T, STOP), (-1, 0, 1, -2)),
    State((K, T, A, BANG), (0, 1, -1, -2)),
    State((K, S, T, B, STOP), (0, -1, 1, -1, -2)),
]


class TestFramed(PotentialLaws):
    potential = Framed(0, 1, {STOP})
    states = FRAMED


class TestInPart(PotentialLaws):
    potential = InPart(Part(0, 1), LengthBounds(tokens, 1, 2), decode)
    states = FRAMED


class TestLeadingSpace(PotentialLaws):
    potential = InPart(Part(0, 1), LeadingSpace(PIECES.__getitem__, True), decode)
    states = FRAMED


class TestStartsWith(PotentialLaws):
    potential = StartsWith("a b")
    states = PLAIN


class TestEndsWith(PotentialLaws):
    potential = EndsWith("a", decode, "!")
    states = PLAIN


class TestCounts(PotentialLaws):
    potential = Counts("a", 1, 1, spaced_boundaries)
    states = PLAIN


class TestListedWords(PotentialLaws):
    potential = ListedWords({"a"}, staticmethod(spans), decode)
    states = PLAIN


class TestAcrostic(PotentialLaws):
    potential = Acrostic("B")
    states = PLAIN


class TestPattern(PotentialLaws):
    potential = Pattern(Automaton.compile(r"a.*[.]", "abcst .!k"))
    states = PLAIN


class TestNetwork(PotentialLaws):
    potential = Network()
    states = PLAIN


class TestProduct(PotentialLaws):
    potential = Product([(0.7, CountA()), (-SHARE, Network()), (0.0, ForbiddenWords(("k",)))])
    states = PLAIN


BLOCKS = [
    State.assemble([(0, FORMS[0][1]), (-1, (A,)), (1, FORMS[1][0]), (-1, (B,)), (2, FORMS[2][0])], STOP),
    State.assemble([(-1, (S,)), (2, FORMS[2][2]), (0, FORMS[0][0]), (1, FORMS[1][0])], BANG),
    State.assemble([(1, FORMS[1][0]), (-1, (A,)), (-1, (A,)), (2, FORMS[2][1]), (0, FORMS[0][0])], STOP),
]


class TestReplace(MoveLaws):
    move = Replace(EPSILON)
    states = BLOCKS


class TestInsert(MoveLaws):
    move, partner = Insert(EPSILON), Delete(EPSILON)
    states = BLOCKS


class TestDelete(MoveLaws):
    move, partner = Delete(EPSILON), Insert(EPSILON)
    states = (*BLOCKS, State.assemble([(0, (A,))], STOP))


class TestSwap(MoveLaws):
    move = Swap()
    states = BLOCKS


class TestSwapAmong(MoveLaws):
    move = Swap(among=2)
    states = BLOCKS


class TestReform(MoveLaws):
    move = Reform(FORMS)
    states = BLOCKS


class TestRedraw(MoveLaws):
    move = Redraw(ENDS, 2, EPSILON)
    states = (*BLOCKS, from_text((A, STOP)), from_text((A, B, S, BANG)), State.assemble([(0, (A,))], STOP))
    draws = 200


class TestRedrawSpan(MoveLaws):
    move = RedrawSpan(2, EPSILON)
    states = (*BLOCKS, from_text((A, B, A, STOP)), State.assemble([(-1, (A,)), (0, (K, T)), (-1, (B,))], STOP))
    draws = 200


class TestShift(MoveLaws):
    move = Shift()
    states = (*BLOCKS, State.assemble([(0, (A,))], STOP))


class TestShiftInOrder(MoveLaws):
    move = Shift(ordered=True)
    states = BLOCKS


def _listed(name: str, soft: bool) -> list[State]:
    case = CASES[name]
    return [case.first, *{State(*x.labelled) for x in case.law(MIXES["all"], 1.0, soft).states()} - {case.first}]


class TestMetropolisHastings(KernelLaws):
    target = CASES["duplicates"].target()
    kernel = CASES["duplicates"].kernel(MIXES["all"])
    states = _listed("duplicates", False)
    outside = from_text((A, B, S, B, STOP), [slice(0, 1)])


class TestPrefetching(KernelLaws):
    target = CASES["free"].target(True)
    kernel = replace(CASES["free"].kernel(MIXES["all"], 1.3, True), lookahead=5)
    beta = 1.3
    states = _listed("free", True)
    chains, steps_to_forget = 1000, 110
    outside = from_text((B, B, STOP))


class TestDelayedAcceptance(KernelLaws):
    target = CASES["free"].target(True)
    kernel = replace(CASES["free"].kernel(MIXES["all"], 1.0, True, 1), lookahead=3)
    states = _listed("free", True)
    chains, steps_to_forget = 1000, 110
    outside = from_text((B, B, STOP))


class TestRounds(KernelLaws):
    """Moves of several tokens among the others, drawn no further than the length allows."""

    target = CASES["free"].target(True)
    kernel = DelayedAcceptance(
        target,
        [
            Replace(EPSILON),
            Insert(EPSILON),
            Delete(EPSILON),
            Redraw(ENDS, 5, EPSILON, hopeless=lambda state: len(state) > 4),
            RedrawSpan(3, EPSILON),
        ],
        {"replace": 0.25, "insert": 0.1, "delete": 0.15, "redraw": 0.3, "redraw_span": 0.2},
        lookahead=3,
        tail=1,
    )
    states = _listed("free", True)
    chains, steps_to_forget = 1000, 80
    outside = from_text((B, B, STOP))


# The laws can fail: each catches a mistake.


@dataclass(frozen=True)
class LosesTheBatch:
    """Weighs a state by the others asked about."""

    async def log_weights(self, states: list[State], texts: list[str]) -> np.ndarray:
        return np.array([len(text) for text in texts]) - np.mean([len(text) for text in texts])


@dataclass(frozen=True)
class Unbalanced:
    """A swap of neighbours that states a wrong ratio, or uses the generator in a way that cannot be listed."""

    ratio: float
    flips: bool = False
    name: str = "unbalanced"
    reverse: str = "unbalanced"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        if len(state) < 3 or (self.flips and rng.random() < 0.5):
            return None
        at = int(rng.integers(len(state) - 2))
        tokens = list(state.tokens)
        tokens[at], tokens[at + 1] = tokens[at + 1], tokens[at]

        def finish(reply: ProposalReply) -> Proposal:
            return Proposal(State(tuple(tokens), state.owners), self.ratio)

        return Draft(None, finish)


def _laws(kind: type, **attributes: object) -> object:
    return type("Laws", (kind,), attributes)()


def test_a_potential_of_its_batch_is_caught() -> None:
    laws = _laws(PotentialLaws, potential=LosesTheBatch(), states=PLAIN)
    with pytest.raises(AssertionError):
        laws.test_the_batch_changes_no_value()


def test_a_wrong_ratio_is_caught() -> None:
    states = [from_text((A, B, S, STOP))]
    _laws(MoveLaws, move=Unbalanced(0.0), states=states).test_each_way_has_a_way_back_of_the_stated_ratio()
    with pytest.raises(AssertionError):
        _laws(MoveLaws, move=Unbalanced(0.1), states=states).test_each_way_has_a_way_back_of_the_stated_ratio()
    with pytest.raises(ValueError, match=r"choose with rng.integers"):
        _laws(MoveLaws, move=Unbalanced(0.0, flips=True), states=states).test_probabilities_sum_to_one_or_less()


def test_a_move_out_of_the_space_is_caught() -> None:
    split = State.assemble([(0, (K, T)), (-1, (A,))], STOP)
    with pytest.raises(AssertionError):
        _laws(MoveLaws, move=Unbalanced(0.0), states=[split]).test_proposals_stay_in_the_space()


def test_a_wrong_partner_is_caught() -> None:
    with pytest.raises(AssertionError):
        _laws(MoveLaws, move=Insert(), states=BLOCKS).test_reverse_names_the_partner()


def test_another_law_is_caught() -> None:
    case = CASES["duplicates"]
    moves = {"kernel": case.kernel(MIXES["all"], 1.6), "target": case.target(), "states": _listed("duplicates", False)}
    laws = _laws(KernelLaws, **moves)
    with pytest.raises(AssertionError):
        laws.test_keeps_the_law()
    still = replace(moves["kernel"], moves=[Swap()], weights={"swap": 1.0})
    assert isinstance(still, MetropolisHastings)
    laws = _laws(KernelLaws, **moves | {"kernel": still})
    for law in (laws.test_forgets_where_it_began, laws.test_the_seed_decides):
        with pytest.raises(AssertionError):
            law()
