"""Regrowth keeps its law as it is enumerated, goes forth as often as back, and mistakes in it are seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from samplers.first_states import KeywordBlocks
from samplers.growth import Growth, GrowthOptions, Particle
from samplers.kernels.delayed import DelayedAcceptance
from samplers.kernels.metropolis import MetropolisHastings
from samplers.language import ProposalQuery
from samplers.moves.regrow import Regrow
from samplers.schedules import constant
from samplers.state import State
from samplers.testing import exact_law, pearson
from samplers.testing.kernel_laws import states_after
from samplers.testing.toy import ENDS, STOP
from tests.samplers.spaces import Case, cases

CASES = {case.name: case for case in cases()}
FEW = {"particles": 3, "endings": 3, "at_once": 1, "go_on": 0.5}


def grown(case: Case, soft: bool = False, **options: float) -> tuple[Regrow, list[State]]:
    """The move on a space, and the states of positive density."""
    target = case.target(soft)
    states = [State(*listed.labelled) for listed in case.space.states()]
    blocks = KeywordBlocks(case.space.forms, case.space.ordered, STOP)
    return Regrow(replace(GrowthOptions(target, blocks, ENDS, max(map(len, states))), **options)), states


def stepped(
    case: Case,
    options: dict[str, float],
    beta: float = 1.0,
    soft: bool = False,
    delayed: bool = False,
    chains: int = 800,
    steps: int = 2,
) -> tuple[list[int], list[int], np.ndarray]:
    """Numbers of exact draws, of the states after some steps from them, and the law."""
    move, states = grown(case, soft, **options)
    law = exact_law(move.options.target, case.model, states, beta)
    kernel = (DelayedAcceptance if delayed else MetropolisHastings)(
        move.options.target, [move], {"regrow": 1.0}, constant(beta)
    )
    first = np.random.default_rng(4).choice(len(law), size=chains, p=law)
    number = {state: i for i, state in enumerate(states)}
    after = [number[state] for state in states_after(kernel, case.model, [states[i] for i in first], steps, seed=5)]
    return list(first), after, law


def deviations(before: list[int], after: list[int], law: np.ndarray) -> tuple[float, float]:
    """By how many standard deviations the law is missed, and the flows differ from those back."""
    statistic, freedom = pearson(np.bincount(after, minlength=len(law)), len(after) * law)
    flows = np.zeros((len(law), len(law)))
    np.add.at(flows, (before, after), 1)
    above = np.triu_indices(len(law), 1)
    forth, back = flows[above], flows.T[above]
    met = forth + back > 0
    asymmetry = ((forth - back)[met] ** 2 / (forth + back)[met]).sum()
    return (
        float((statistic - freedom) / np.sqrt(2 * freedom)),
        float((asymmetry - met.sum()) / np.sqrt(2 * met.sum())),
    )


@pytest.mark.parametrize("delayed", [False, True], ids=["", "delayed"])
@pytest.mark.parametrize(
    ("name", "options", "beta", "soft"),
    [
        *((name, options, 1.0, False) for name in CASES for options in ({}, FEW)),
        *((name, FEW, 1.6, True) for name in CASES),
    ],
)
def test_keeps_the_law_and_is_reversible(
    name: str, options: dict[str, float], beta: float, soft: bool, delayed: bool
) -> None:
    before, after, law = stepped(CASES[name], options, beta, soft, delayed)
    assert np.mean(np.array(before) != after) > 0.15
    missed, asymmetry = deviations(before, after, law)
    assert missed < 4
    assert asymmetry < 4


@pytest.mark.parametrize("name", CASES)
def test_forgets_where_it_began(name: str) -> None:
    move, states = grown(CASES[name], **FEW)
    law = exact_law(move.options.target, CASES[name].model, states)
    kernel = MetropolisHastings(move.options.target, [move], {"regrow": 1.0})
    number = {state: i for i, state in enumerate(states)}
    after = states_after(kernel, CASES[name].model, [states[0]] * 300, 20, seed=6)
    statistic, freedom = pearson(np.bincount([number[state] for state in after], minlength=len(law)), 300 * law)
    assert (statistic - freedom) / np.sqrt(2 * freedom) < 4


def _unweighted_length(draw: Callable[..., ProposalQuery | None]) -> Callable[..., ProposalQuery | None]:
    def drawn(self: Growth, one: Particle, stop: int) -> ProposalQuery | None:
        before = one.log_drawn
        query = draw(self, one, stop)
        one.log_drawn = before
        return query

    return drawn


def _no_further(draw: Callable[..., ProposalQuery | None]) -> Callable[..., ProposalQuery | None]:
    def drawn(self: Growth, one: Particle, stop: int) -> ProposalQuery | None:
        return None if one.own and len(one.tokens) >= stop else draw(self, one, stop)

    return drawn


@pytest.mark.parametrize(
    ("mistake", "go_on"),
    [(_unweighted_length, 0.3), (_no_further, 0.7)],
    ids=["length unweighted", "own ends at once"],
)
def test_a_mistake_is_seen(
    mistake: Callable[..., Callable[..., ProposalQuery | None]], go_on: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number of free tokens has a probability, and what stands would have been drawn beyond its place too."""
    monkeypatch.setattr(Growth, "_draw", mistake(Growth._draw))
    missed, asymmetry = deviations(
        *stepped(
            CASES["duplicates"],
            FEW | {"particles": 2, "endings": 2, "at_once": 0, "go_on": go_on},
            chains=2000,
            steps=4,
        )
    )
    assert max(missed, asymmetry) > 5


def test_a_sentence_too_long_stays() -> None:
    move, states = grown(CASES["unordered"])
    longest = max(states, key=len)
    short = Regrow(replace(move.options, max_tokens=len(longest) - 1))
    assert short.draft(longest, np.random.default_rng(0), {"regrow": 1.0}, 1.0) is None
