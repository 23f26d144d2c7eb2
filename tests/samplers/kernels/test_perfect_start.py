"""Chains from exact draws stay in their law, chains from first states come to it, and mistakes in kernels are seen."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log

import numpy as np
import pytest

from samplers.first_states import construct
from samplers.kernels.base import Chain, Info, Kernel, Position
from samplers.kernels.delayed import DelayedAcceptance
from samplers.kernels.gibbs import Gibbs
from samplers.kernels.metropolis import MetropolisHastings
from samplers.kernels.tempering import Tempering, rungs
from samplers.language import LanguageModel, ProposalReply
from samplers.moves.base import Draft, MoveWeights, Proposal
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.routing import construct_each
from samplers.smc import SequentialMonteCarlo
from samplers.state import State
from samplers.target import Target
from samplers.testing import exact_law, pearson
from samplers.testing.perfect_start import (
    STATISTICS,
    FirstStates,
    Keywords,
    beside,
    chi_square_tail,
    keywords_of,
    rank_test,
    ranks,
    uniformity,
)
from samplers.testing.toy import ENDS, INTERIOR, A
from tests.samplers.own_keywords import LAWS, LONGEST, MODEL, Law, starts_of
from tests.samplers.spaces import EPSILON, moves

MIX = {"replace": 0.2, "insert": 0.2, "delete": 0.1, "swap": 0.05, "redraw": 0.15, "redraw_span": 0.15, "shift": 0.15}
EDITS = {"replace": 0.3, "insert": 0.4, "delete": 0.3}


def _mix(law: Law) -> dict[str, float]:
    chosen = {name: weight for name, weight in MIX.items() if name != "swap" or (law.count > 1 and not law.ordered)}
    return {name: weight / sum(chosen.values()) for name, weight in chosen.items()}


def _metropolis(law: Law, keywords: Keywords) -> Kernel:
    mix = _mix(law)
    return MetropolisHastings(law.target(keywords), moves(mix, (), law.ordered), mix)


def _delayed(law: Law, keywords: Keywords) -> Kernel:
    mix = _mix(law)
    return DelayedAcceptance(law.target(keywords), moves(mix, (), law.ordered), mix, lookahead=3, tail=1)


def _gibbs(law: Law, keywords: Keywords) -> Kernel:
    mix = _mix(law)
    others = [move for move in moves(mix, (), law.ordered) if move.name != "replace"]
    return Gibbs(law.target(keywords), others, mix, candidates=3, epsilon=EPSILON)


def _gibbs_of_all(law: Law, keywords: Keywords) -> Kernel:
    kernel = _gibbs(law, keywords)
    assert isinstance(kernel, Gibbs)
    return replace(kernel, interior=INTERIOR, ends=ENDS)


def p_values(
    name: str, kernel: Callable[[Law, Keywords], Kernel], *, size: int = 400, steps: int = 6, seed: int = 1
) -> dict[str, float]:
    law = LAWS[name]
    return rank_test(starts_of(name, size), lambda keywords: kernel(law, keywords), MODEL, steps=steps, seed=seed)


@pytest.mark.parametrize("name", ["a token", "two tokens", "two in order", "a whole word, said once"])
def test_draws_are_exact_in_the_law_of_their_keywords(name: str) -> None:
    """By enumeration, for the keywords that were drawn most often."""
    law, starts = LAWS[name], LAWS[name].starts(4000)
    ((keywords, size),) = Counter(map(keywords_of, starts)).most_common(1)
    states = law.states(keywords)
    counts = Counter(start for start in starts if keywords_of(start) == keywords)
    assert counts.keys() <= set(states)
    expected = size * exact_law(law.target(keywords), MODEL, states)
    assert chi_square_tail(*pearson(np.array([counts[state] for state in states]), expected)) > 1e-4
    unweighted = size * exact_law(replace(law.target(keywords), potential=None), MODEL, states)
    assert chi_square_tail(*pearson(np.array([counts[state] for state in states]), unweighted)) < 1e-6


KERNELS = {"metropolis": _metropolis, "delayed": _delayed, "gibbs": _gibbs, "gibbs of all tokens": _gibbs_of_all}


@pytest.mark.parametrize(
    ("name", "kernel"),
    [
        (name, kernel)
        for name in LAWS
        for kernel in KERNELS
        if "gibbs" not in kernel or name in ("two tokens", "a word and a potential")
    ],
)
def test_chains_from_exact_draws_stay_in_their_law(name: str, kernel: str) -> None:
    found = p_values(name, KERNELS[kernel])
    assert min(found.values()) > 1e-6, found


@dataclass(frozen=True, slots=True)
class ForgetsTheGaps:
    """An insertion whose ratio is without the number of gaps, among which its place was chosen."""

    inner: Insert
    epsilon: float = EPSILON
    name: str = "insert"
    reverse: str = "delete"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Draft | None:
        draft = self.inner.draft(state, rng, weights, sharpness)
        assert draft is not None

        def finish(reply: ProposalReply) -> Proposal:
            proposal = draft.finish(reply)
            return replace(proposal, log_q_ratio=proposal.log_q_ratio - log(len(state.gaps)))

        return replace(draft, finish=finish)


class ForgetsThePotential(MetropolisHastings):
    """Accepts by the language model alone."""

    def _log_density(self, position: Position, beta: float) -> float:
        return self.target.log_density(position.state, position.scored.log_probs, 0.0, beta)


class WholeRatioTwice(DelayedAcceptance):
    """A second stage that asks for r where r / r_1 is due."""

    def _receive(self, chain, step, scored):  # type: ignore[no-untyped-def]
        DelayedAcceptance._receive(self, chain, step, scored)
        if step.scored is not None and step.first_log_ratio is not None:
            step.second_log_uniform += step.first_log_ratio


WRONG: dict[str, Callable[[Target], Kernel]] = {
    "insertion without its gaps": lambda target: MetropolisHastings(
        target, [ForgetsTheGaps(Insert(EPSILON)), Delete(EPSILON)], {"insert": 0.5, "delete": 0.5}
    ),
    "potential forgotten": lambda target: ForgetsThePotential(target, moves(EDITS, (), False), EDITS),
    "whole ratio in the second stage": lambda target: WholeRatioTwice(target, moves(EDITS, (), False), EDITS),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_wrong_kernel_is_seen(mistake: str) -> None:
    found = p_values("a token", lambda law, keywords: WRONG[mistake](law.target(keywords)), size=800)
    assert min(found.values()) < 1e-9, found


def from_drafts(law: Law) -> FirstStates:
    async def first(keywords: Keywords, rngs: Sequence[np.random.Generator]) -> list[State]:
        return await construct(law.blocks(keywords), law.target(keywords), MODEL, rngs)

    return first


def from_particles(law: Law) -> FirstStates:
    async def first(keywords: Keywords, rngs: Sequence[np.random.Generator]) -> list[State]:
        blocks, target = law.blocks(keywords), law.target(keywords)
        smc = SequentialMonteCarlo(target, blocks, LONGEST, 48, beta=2.5)
        return await construct_each(blocks, target, [MODEL] * len(rngs), rngs, smc=smc)

    return first


@pytest.mark.parametrize(("name", "first"), [("two tokens", from_drafts), ("a whole word, said once", from_particles)])
def test_chains_from_first_states_come_to_the_law_of_exact_draws(
    name: str, first: Callable[[Law], FirstStates]
) -> None:
    law = LAWS[name]

    def found(steps: int) -> dict[str, float]:
        starts = starts_of(name, 200)
        return rank_test(starts, lambda keywords: _metropolis(law, keywords), MODEL, steps=steps, first=first(law))

    at_first, at_last = found(0), found(30)
    assert min(at_last.values()) > 1e-6 > 1e-9 > min(at_first.values()), (at_first, at_last)


class HalfWay(Tempering):
    """Begins between two exchanges, from where a ladder of two betas is reversible: the way back is the same."""

    async def init(self, states: Sequence[State], model: LanguageModel) -> list[Chain]:
        chains = await Tempering.init(self, states, model)
        return [replace(chain, info=Info(self.every // 2)) for chain in chains]


class Reckless(HalfWay):
    """Exchanges whatever the energies say."""

    def _energy(self, chain: Chain) -> float:
        return 0.0


@pytest.mark.parametrize("kind", [HalfWay, Reckless])
def test_the_cold_chain_of_a_ladder_stays_in_its_law(kind: type[HalfWay]) -> None:
    """Hot chains need a draw of their own law, which takes a list of states."""
    law, ladder = LAWS["a token"], (1.0, 0.3)
    keywords = ((A,),)
    cold = [state for state in starts_of("a token", 800) if keywords_of(state) == keywords]
    target, states = law.target(keywords), law.states(keywords)
    hot = np.random.default_rng(3).choice(len(states), size=len(cold), p=exact_law(target, MODEL, states, ladder[1]))
    first = [state for pair in zip(cold, (states[i] for i in hot), strict=True) for state in pair]
    kernel = kind(MetropolisHastings(target, moves(EDITS, (), False), EDITS, rungs(ladder)), target, ladder, 2)
    own, others = asyncio.run(beside(kernel, MODEL, first, 4, steps=13, seed=5))
    values = [[STATISTICS["log-density"](chain) for chain in chains[::2]] for chains in (own, *others)]
    p = uniformity(ranks(values[0], values[1:], np.random.default_rng(1)), 4)
    assert p > 1e-6 if kind is HalfWay else p < 1e-9, p
