"""Mistakes found in published samplers of constrained text, each caught by the law check.

Every wrong variant below runs through the very check that the real kernel passes. One that
slipped through would mean that the check cannot fail.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from math import inf, log

import numpy as np
import numpy.typing as npt
import pytest

from samplers.kernels.base import Chain, Kernel
from samplers.kernels.metropolis import MetropolisHastings
from samplers.language import Alphabet, LanguageModel, ProposalQuery, ProposalReply
from samplers.moves.base import Draft, Move, MoveWeights, Proposal, Round
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.moves.redraw import Redraw
from samplers.moves.replace import Replace
from samplers.objective import Objective
from samplers.run import generators, run
from samplers.state import State
from samplers.target import Target
from samplers.testing.toy import ENDS, INTERIOR, ToyLanguage
from tests.samplers.checks import Distance, Exact, distance_to_target, one_step_deviation, starts
from tests.samplers.enumeration import total_variation
from tests.samplers.spaces import EPSILON, MIXES, Case, cases

CASE: Case = replace(
    next(case for case in cases() if case.name == "duplicates"),
    # A peaked model: what stands right of a word matters, and short lists leave likely words out.
    model=ToyLanguage(spread=1.3),
)


@cache
def _exact(mix: str) -> Exact:
    return Exact.of(CASE.law(MIXES[mix]), CASE.first)


def _distance(kernel: Kernel, mix: str) -> Distance:
    return distance_to_target(kernel, CASE.model, _exact(mix), seed=5, chains=150, rounds=12)


def _replacing(move: Move) -> MetropolisHastings:
    return MetropolisHastings(CASE.target(), [move], MIXES["replace"])


def _place(state: State, rng: np.random.Generator) -> tuple[int, tuple[int, ...]]:
    """A position and its alphabet, as the real replacement chooses them."""
    places = [*state.free, state.end]
    position = places[int(rng.integers(len(places)))]
    return position, ENDS if position == state.end else INTERIOR


@dataclass(frozen=True, slots=True)
class Shortlisted:
    """Replacement from a shortlist of the row, with the ratio q(x_i) / q(w) as if both were always on it.

    Attributes:
        model: for its rows.
        size: how many words of an interior row make the shortlist.
        current: whether the word that stands there is put on the list.
    """

    model: ToyLanguage
    size: int
    current: bool
    name: str = "replace"
    reverse: str = "replace"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft:
        position, alphabet = _place(state, rng)
        p = self.model.probabilities(state.tokens[:position])
        present = state.tokens[position]
        ranked = sorted(alphabet, key=lambda w: -p[w])
        shortlist = ranked[: self.size] if alphabet is INTERIOR else ranked
        if self.current and present not in shortlist:
            shortlist = [*shortlist, present]
        q = p[shortlist] / p[shortlist].sum()
        token = shortlist[int(rng.choice(len(shortlist), p=q))]
        ratio = log(p[present]) - log(p[token])
        return Draft(None, lambda reply: Proposal(state.replaced(position, token), ratio))


@dataclass(frozen=True, slots=True)
class AlwaysAccepted:
    """A replacement taken for a Gibbs step, though its row sees the left context alone."""

    inner: Replace
    name: str = "replace"
    reverse: str = "replace"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft:
        draft = self.inner.draft(state, rng, weights, sharpness)
        assert draft is not None
        return Draft(draft.query, lambda reply: replace(draft.finish(reply), log_q_ratio=inf))


@dataclass(frozen=True, slots=True)
class RawProbability:
    """Insert or delete with the model's p(w) in the ratio, where q(w) restricted to the alphabet is drawn."""

    inner: Insert | Delete
    model: ToyLanguage

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def reverse(self) -> str:
        return self.inner.reverse

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        draft = self.inner.draft(state, rng, weights, sharpness)
        if draft is None:
            return None
        query = draft.query
        assert query is not None
        p = self.model.probabilities(state.tokens[: query.position])

        def finish(reply: ProposalReply) -> Proposal:
            token = reply.token if query.present is None else query.present
            assert token is not None
            raw = log(p[token])
            return draft.finish(ProposalReply(reply.token, raw, raw))

        return Draft(query, finish)


@dataclass(frozen=True, slots=True)
class OtherLength:
    """A tail drawn anew whose old tokens are compared at another length than it was drawn: the closing one twice."""

    inner: Redraw
    name: str = "redraw"
    reverse: str = "redraw"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Round | None:
        draft = self.inner.draft(state, rng, weights, sharpness)
        if draft is None:
            return None

        def finish(replies: Sequence[ProposalReply]) -> Proposal | Round:
            last = replies[-1]
            assert last.log_q_present is not None
            return draft.finish([*replies[:-1], replace(last, log_q_present=2 * last.log_q_present)])

        return replace(draft, finish=finish)


@dataclass(frozen=True, slots=True)
class GreedyFilter:
    """After acceptance, steps that cost too much are thrown away."""

    inner: MetropolisHastings
    loss: float = 0.5

    async def init(self, states: Sequence[State], model: LanguageModel) -> list[Chain]:
        return await self.inner.init(states, model)

    async def advance(
        self, chains: Sequence[Chain], model: LanguageModel, rngs: Sequence[np.random.Generator], total_steps: int
    ) -> list[Chain]:
        after = await self.inner.advance(chains, model, rngs, total_steps)
        return [
            new if new.log_prob >= old.log_prob - self.loss else replace(old, info=replace(old.info, steps=new.steps))
            for old, new in zip(chains, after, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class ReplaceAt:
    """The real replacement, at the n-th place counted around the sentence."""

    place: int
    name: str = "replace"
    reverse: str = "replace"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft:
        places = [*state.free, state.end]
        position = places[self.place % len(places)]
        alphabet = Alphabet.ENDS if position == state.end else Alphabet.INTERIOR

        def finish(reply: ProposalReply) -> Proposal:
            assert reply.token is not None
            assert reply.log_q is not None
            assert reply.log_q_present is not None
            return Proposal(state.replaced(position, reply.token), reply.log_q_present - reply.log_q)

        uniform = rng.random()
        return Draft(ProposalQuery(position, EPSILON, sharpness, alphabet, uniform, state.tokens[position]), finish)


@dataclass(slots=True)
class Scan:
    """A systematic scan; the next place is tried after every step, or only once a step was accepted.

    With ``wait``, a chain stays at its place until it moves: how long a state is held depends
    on the state itself, beyond what the acceptance says.
    """

    target: Target
    wait: bool
    places: list[int] = field(default_factory=list)

    async def init(self, states: Sequence[State], model: LanguageModel) -> list[Chain]:
        self.places = [i % 3 for i in range(len(states))]
        return await MetropolisHastings(self.target, [ReplaceAt(0)], MIXES["replace"]).init(states, model)

    async def advance(
        self, chains: Sequence[Chain], model: LanguageModel, rngs: Sequence[np.random.Generator], total_steps: int
    ) -> list[Chain]:
        after: list[Chain] = []
        for i, chain in enumerate(chains):
            kernel = MetropolisHastings(self.target, [ReplaceAt(self.places[i])], MIXES["replace"])
            after += await kernel.advance([chain], model, [rngs[i]], total_steps)
            self.places[i] += not self.wait or after[-1].moved
        return after


@dataclass(frozen=True, slots=True)
class MeanLogProb(Objective):
    """The mean of the tokens' log-probabilities where the density is their sum."""

    def value(self, log_probs: npt.NDArray[np.float64], closed: bool = True) -> float:
        return float(log_probs.mean())


@pytest.mark.parametrize("mix", ["replace", "edits", "redraw"])
def test_the_real_kernel_passes(mix: str) -> None:
    kernel = CASE.kernel(MIXES[mix])
    distance = _distance(kernel, mix)
    assert distance.holds, distance
    assert abs(one_step_deviation(kernel, CASE.model, _exact(mix), seed=5, tries=100)) < 4


WRONG: dict[str, tuple[str, Callable[[], Kernel]]] = {
    "shortlist lacks the current word": (
        "replace",
        lambda: _replacing(Shortlisted(CASE.model, 2, current=False)),
    ),
    "shortlist depends on the state": (
        "replace",
        lambda: _replacing(Shortlisted(CASE.model, 2, current=True)),
    ),
    "replacement always accepted": ("replace", lambda: _replacing(AlwaysAccepted(Replace(EPSILON)))),
    "unnormalised q": (
        "edits",
        lambda: MetropolisHastings(
            CASE.target(),
            [
                Replace(EPSILON),
                RawProbability(Insert(EPSILON), CASE.model),
                RawProbability(Delete(EPSILON), CASE.model),
            ],
            MIXES["edits"],
        ),
    ),
    "suffix at another length": (
        "redraw",
        lambda: MetropolisHastings(CASE.target(), [OtherLength(Redraw(ENDS, 2, EPSILON))], MIXES["redraw"]),
    ),
    "greedy filter": ("edits", lambda: GreedyFilter(CASE.kernel(MIXES["edits"]))),
    "mean for sum": (
        "edits",
        lambda: replace(
            CASE.kernel(MIXES["edits"]),
            target=replace(CASE.target(), objective=MeanLogProb()),
        ),
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_kernel_misses_the_target(mistake: str) -> None:
    mix, kernel = WRONG[mistake]
    distance = _distance(kernel(), mix)
    assert distance.run > 4 * distance.independent, distance


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_kernel_misses_the_rows_of_the_matrix(mistake: str) -> None:
    mix, kernel = WRONG[mistake]
    assert one_step_deviation(kernel(), CASE.model, _exact(mix), seed=5, tries=100) > 8


def test_a_scan_that_waits_for_acceptance_misses_the_target() -> None:
    """The same scan passes when the next place comes whether or not the step was accepted."""
    right, wrong = (_distance(Scan(CASE.target(), wait), "replace") for wait in (False, True))
    assert right.holds, right
    assert wrong.run > 4 * wrong.independent, wrong


def test_reading_a_chain_whenever_it_moves_misses_the_target() -> None:
    """The same mistake in reading: looking ahead is exact at fixed steps, not at the ends of advances."""
    kernel = replace(CASE.kernel(MIXES["edits"]), lookahead=30)
    exact = _exact("edits")
    number = {state: i for i, state in enumerate(exact.states)}

    async def ends_of_advances() -> list[int]:
        first = starts(exact, 150)
        return [
            number[chain.state]
            async for step in run(kernel, CASE.model, first, generators(5, 150), 200)
            if step.number >= 60
            for chain in step.chains
            if chain.moved
        ]

    seen = asyncio.run(ends_of_advances())
    at_ends = total_variation(np.bincount(seen, minlength=len(exact.pi)) / len(seen), exact.pi)
    assert at_ends > 4 * exact.independent(len(seen))
