"""Sequential Monte Carlo and importance sampling: unbiased in Z and in the mass of every state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, inf, log

import numpy as np
import pytest

from samplers.constraints.forbidden import ForbiddenWords
from samplers.first_states import BETWEEN_KEYWORDS, Apart
from samplers.language import Alphabet, ProposalQuery, ProposalReply, Scored
from samplers.segments import Segments
from samplers.smc import SequentialMonteCarlo
from samplers.testing.toy import INTERIOR, ToyLanguage
from samplers.weights import normalised, split
from tests.samplers.draws import Whole, blocks, last_of
from tests.samplers.spaces import Case, cases

SHORT, LONG = Apart(0, 0.4), Apart(8, 0.8)
"""Fewer free tokens than between keywords, and more than any of these sentences has."""
CASES = {case.name: case for case in cases()}


def sampler(
    case: Case, particles: int, beta: float, soft: bool, resamples: bool, apart: Apart = BETWEEN_KEYWORDS
) -> SequentialMonteCarlo:
    frozen = replace(blocks(case), apart=apart)
    return SequentialMonteCarlo(
        case.target(soft), frozen, case.space.longest, particles, beta=beta, resamples=resamples
    )


@dataclass(frozen=True)
class Bias:
    """Means over runs in standard errors from the truth.

    Attributes:
        z: of the estimate of Z.
        states: root mean square over the masses of the states that are met often.
        precision: standard error of the estimate of Z, as a share of Z.
    """

    z: float
    states: float
    precision: float


def bias(
    name: str,
    beta: float = 1.0,
    soft: bool = False,
    resamples: bool = True,
    *,
    runs: int = 250,
    model: ToyLanguage | None = None,
    apart: Apart = BETWEEN_KEYWORDS,
) -> Bias:
    """Of many small runs, whose bias a large run would hide."""
    case = CASES[name]
    whole = Whole.of(case, beta, soft)
    smc = sampler(case, 6, beta, soft, resamples, apart)
    masses = np.zeros((runs, len(whole.states)))
    for seed in range(runs):
        last = last_of(smc.run(model or case.model, seed))
        assert last.outcome is not None and last.outcome.log_z is not None and last.outcome.log_weights is not None
        if last.chains:
            share = whole.shares([chain.state for chain in last.chains], normalised(last.outcome.log_weights))
            masses[seed] = exp(last.outcome.log_z - whole.log_z) * share
    often = (masses > 0).sum(0) >= 20
    errors = masses.std(0, ddof=1)[often] / runs**0.5
    totals = masses.sum(1)
    error = float(totals.std(ddof=1) / runs**0.5)
    deviations = (masses.mean(0)[often] - whole.pi[often]) / errors
    return Bias(float(totals.mean() - 1) / error, float(np.sqrt((deviations**2).mean())), error)


VARIANTS = [
    ("unordered", 1.0, False, True),
    ("unordered", 1.0, False, False),
    ("forms", 1.6, False, True),
    ("duplicates", 1.3, True, True),
    ("free", 1.0, False, True),
    ("free", 1.0, False, False),
]


@pytest.mark.parametrize(("name", "beta", "soft", "resamples"), VARIANTS)
def test_z_and_the_mass_of_each_state_are_unbiased(name: str, beta: float, soft: bool, resamples: bool) -> None:
    found = bias(name, beta, soft, resamples)
    assert abs(found.z) < 3.5 and found.states < 1.5 and found.precision < 0.1, found


def test_of_many_particles_the_weights_are_the_law() -> None:
    case = CASES["unordered"]
    whole = Whole.of(case)
    last = last_of(sampler(case, 4000, 1.0, False, True).run(case.model, 1))
    assert last.outcome is not None and last.outcome.log_weights is not None and last.outcome.log_z is not None
    share = whole.shares([chain.state for chain in last.chains], normalised(last.outcome.log_weights))
    independent = (
        np.abs(np.random.default_rng(0).multinomial(1000, whole.pi, size=32) / 1000 - whole.pi).sum(1).mean() / 2
    )
    assert np.abs(share - whole.pi).sum() / 2 < 2 * independent
    assert abs(last.outcome.log_z - whole.log_z) < 0.05
    assert len({chain.state for chain in last.chains}) == len(last.chains), "equal particles are one"


class Absolute(Segments):
    """The mistake of weighing by the score of the whole beginning where its increment is due."""

    def _gained(self, place, scored: Scored, closed: bool) -> float:  # type: ignore[no-untyped-def]
        return self.beta * float(scored.log_probs.sum()) - place.log_drawn


class WithoutTheLengths(Segments):
    """The mistake of forgetting how likely it was to draw so far."""

    def _goes_on(self, segment) -> bool:  # type: ignore[no-untyped-def]
        before = segment.log_drawn
        goes_on = Segments._goes_on(self, segment)
        segment.log_drawn = before
        return goes_on


@pytest.mark.parametrize("mistake", [Absolute, WithoutTheLengths])
def test_a_wrong_weight_is_seen(mistake: type[Segments], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("samplers.smc.Segments", mistake)
    found = bias("unordered", apart=SHORT)
    assert abs(found.z) > 6 or found.states > 3, found


@pytest.mark.parametrize("apart", [SHORT, LONG])
def test_the_right_weight_passes_where_the_wrong_are_seen(apart: Apart) -> None:
    found = bias("unordered", apart=apart)
    assert abs(found.z) < 3.5 and found.states < 1.5, found


def test_copies_that_keep_the_whole_weight_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mistake of splitting without sharing, which counts what is copied as often as it is."""

    def unshared(log_weights: Sequence[float], count: int, uniform: float) -> list[tuple[int, float]]:
        return [(place, log_weights[place]) for place, _ in split(log_weights, count, uniform)]

    monkeypatch.setattr("samplers.smc.split", unshared)
    found = bias("unordered")
    assert found.z > 6, found


class TopP(ToyLanguage):
    """Draws from the likeliest tokens alone, and gives their renormalised probability."""

    async def propose(self, scored: Sequence[Scored], queries: Sequence[ProposalQuery]) -> list[ProposalReply]:
        return [self._cut(one.tokens, query) for one, query in zip(scored, queries, strict=True)]

    def _cut(self, tokens: tuple[int, ...], query: ProposalQuery) -> ProposalReply:
        if query.alphabet is not Alphabet.INTERIOR or query.uniform is None:
            return self._reply(tokens, query)
        p = self.probabilities(tokens[: query.position])
        kept = sorted(INTERIOR, key=lambda token: -p[token])[:2]
        q = p[kept] / p[kept].sum()
        k = min(int(np.searchsorted(q.cumsum(), query.uniform, "right")), len(kept) - 1)
        return ProposalReply(kept[k], float(log(q[k])))


def test_a_support_cut_by_top_p_is_seen() -> None:
    assert bias("unordered", model=TopP()).z < -6


def test_no_particle_depends_on_its_neighbours() -> None:
    """Without resampling the first of many are the particles of a run of a few."""
    case = CASES["unordered"]
    few, many = (last_of(sampler(case, size, 1.0, False, False).run(case.model, 4)) for size in (8, 16))
    assert few.outcome is not None and many.outcome is not None and few.outcome.log_weights and many.outcome.log_weights
    alive = len(few.outcome.log_weights)
    assert [chain.state for chain in many.chains[:alive]] == [chain.state for chain in few.chains]
    assert list(many.outcome.log_weights[:alive]) == list(few.outcome.log_weights)
    assert few.outcome.resampled == 0


def test_what_cannot_be_written_has_no_weight() -> None:
    case = CASES["unordered"]
    impossible = replace(case.target(), constraints=[ForbiddenWords(["kt"])])
    smc = SequentialMonteCarlo(impossible, blocks(case), 6, 8)
    last = last_of(smc.run(case.model, 1))
    assert last.outcome is not None and not last.chains
    assert last.outcome.log_z == -inf and last.outcome.ess == 0 and last.outcome.kept == 0


def test_beginnings_are_not_taken_for_sentences() -> None:
    async def wholes() -> list[bool]:
        case = CASES["forms"]
        return [step.whole async for step in sampler(case, 4, 1.0, False, True).run(case.model, 1)]

    import asyncio

    assert asyncio.run(wholes()) == [False, False, False, True]
