"""The law check once more with a transformer, batching and prefix reuse in the loop."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest

from models.language.scoring.kv_cache import ScoredSentence
from models.language.scoring.scorer import CausalScorer
from samplers.kernels.particle_gibbs import ParticleGibbs
from samplers.rejection import Rejection
from samplers.routing import GuidedModel, RoutedModel
from samplers.schedules import geometric
from samplers.smc import SequentialMonteCarlo
from samplers.state import State
from samplers.testing import pearson
from samplers.testing.kernel_laws import states_after
from samplers.testing.toy import ENDS, INTERIOR, PIECES
from tests.samplers.checks import Exact, distance_to_target, one_step_deviation, starts, visited
from tests.samplers.draws import blocks, closes, free, last_of
from tests.samplers.enumeration import Law, total_variation
from tests.samplers.spaces import EPSILON, MIXES, Case, blanks, cases
from tests.support.tiny_model import CONFIGS, Engine, Plain, engine, vocabulary

CASES: dict[str, Case] = {case.name: case for case in [*cases(), blanks()]}
MASK = vocabulary([*INTERIOR, *ENDS, 6, 7], len(INTERIOR), len(ENDS), name="toy")
CONTEXT, OTHER = (2, 19, 30, 11), (2, 25)


@dataclass(frozen=True, eq=False)
class PlainTable:
    """p(. | context, prefix) by the model's own forward of the whole sequence, over the toy's token ids."""

    plain: Plain
    _rows: dict[tuple[int, ...], np.ndarray]
    context: tuple[int, ...] = CONTEXT

    def __call__(self, prefix: tuple[int, ...]) -> np.ndarray:
        if prefix not in self._rows:
            row = np.zeros(len(PIECES))
            row[self.plain.ids] = np.exp(self.plain.rows([*self.context, *prefix])[-1])
            self._rows[prefix] = row
        return self._rows[prefix]


@cache
def _loaded(architecture: str) -> tuple[CausalScorer, PlainTable]:
    config = CONFIGS[architecture]()
    config.initializer_range = 0.12
    # Small enough that batches are split now and then.
    scorer, plain = engine(config, MASK, max_tokens=256)
    return scorer, PlainTable(plain, {})


def _engine(architecture: str, context: tuple[int, ...] = CONTEXT) -> Engine:
    scorer, _ = _loaded(architecture)
    output = scorer.forward.output(MASK)
    return Engine(scorer, output, scorer.context(context, output))


def _law(architecture: str, case: Case, beta: float, mix: str | None = None, delayed: int = 0) -> Law:
    return Law(case.space, _loaded(architecture)[1], MIXES[mix or case.widest], EPSILON, beta, delayed=delayed)


every = pytest.mark.parametrize(
    ("architecture", "name", "beta", "mix", "delayed"),
    [
        ("llama", "duplicates", 1.0, "all", 0),
        ("gemma3-window", "unordered", 1.0, "all", 0),
        ("gpt2", "forms", 1.5, "edits+reform", 0),
        ("gemma3-window", "duplicates", 1.0, "every", 1),
        ("llama", "free", 1.3, "redraw", 0),
        ("llama", "blanks", 1.0, "edits", 0),
    ],
)


@every
def test_one_step_has_the_rows_of_the_matrix(architecture: str, name: str, beta: float, mix: str, delayed: int) -> None:
    case = CASES[name]
    exact = Exact.of(_law(architecture, case, beta, mix, delayed), case.first)
    kernel = case.kernel(MIXES[mix], beta, delayed=delayed)
    tries = 8_000 // len(exact.states)
    assert abs(one_step_deviation(kernel, _engine(architecture), exact, seed=3, tries=tries)) < 4


@every
def test_run_reaches_the_target(architecture: str, name: str, beta: float, mix: str, delayed: int) -> None:
    case = CASES[name]
    exact = Exact.of(_law(architecture, case, beta, mix, delayed), case.first)
    assert exact.pi.max() < 0.5, "one state would hide the others"
    model = _engine(architecture)
    before = model.scorer.usage.lm_tokens
    kernel = case.kernel(MIXES[mix], beta, delayed=delayed)
    distance = distance_to_target(kernel, model, exact, seed=7)
    assert distance.holds, distance
    # The prefix reuse that is under test did take place.
    assert model.scorer.usage.lm_tokens - before < 0.6 * model.sentence_tokens


def test_scores_after_a_long_run_are_those_of_the_plain_forward() -> None:
    """Hundreds of edits on kept prefixes gather no drift."""
    case = CASES["unordered"]
    model = _engine("gemma3-window")
    law = _law("gemma3-window", case, 1.0)
    kernel = case.kernel(MIXES[case.widest])
    exact = Exact.of(law, case.first)
    chains, steps = 16, 200
    seen: dict[tuple[int, ...], float] = {}

    class Watching(Engine):
        async def score(
            self, sentences: Sequence[tuple[int, ...]], bases: Sequence[ScoredSentence | None]
        ) -> list[ScoredSentence]:
            scored = await super().score(sentences, bases)
            seen.update((one.tokens, float(one.log_probs.sum())) for one in scored)
            return scored

    watching = Watching(model.scorer, model.output, model.context)
    visited(kernel, watching, exact, starts(exact, chains), 9, [steps])
    assert len(seen) > 50
    for tokens, log_prob in seen.items():
        assert log_prob == pytest.approx(law.log_prob(tokens), abs=5e-5)


def test_annealing_follows_the_product_of_the_matrices() -> None:
    case, steps, chains = CASES["duplicates"], 6, 2000
    schedule = geometric(0.3, 3.0, steps)
    exact = [Exact.of(_law("llama", case, schedule(0, t)), case.first) for t in range(1, steps + 1)]
    first = starts(exact[0], chains)
    mu = np.bincount(np.arange(chains) % len(exact[0].states), minlength=len(exact[0].states)) / chains
    for one in exact:
        mu = mu @ one.matrix
    kernel = replace(case.kernel(MIXES[case.widest]), schedule=schedule)
    seen = visited(kernel, _engine("llama"), exact[0], first, 11, [steps])[0]
    empirical = np.bincount(seen, minlength=len(mu)) / chains
    assert total_variation(empirical, mu) <= 2 * exact[0].independent(chains, mu)


def test_draws_that_are_no_chains_have_the_law() -> None:
    """Rejection reads the whole row of the mask, SMC rows of its parts: both with batches and kept prefixes."""
    case = CASES["duplicates"]
    law = _law("llama", case, 1.0)
    listed = law.states()
    pi = law.target(listed)
    number = {State(*x.labelled): i for i, x in enumerate(listed)}
    fields = case.target(), blocks(case)
    rejection = Rejection(*fields, free, closes, 12_000, 800, case.space.longest, 400)
    kept = last_of(rejection.run(_engine("llama"), 2)).chains
    statistic, freedom = pearson(
        np.bincount([number[chain.state] for chain in kept], minlength=len(pi)), len(kept) * pi
    )
    assert len(kept) > 200 and (statistic - freedom) / (2 * freedom) ** 0.5 < 4

    log_z = np.log(sum(np.exp(law.log_prob(x.tokens)) for x in listed))
    smc = SequentialMonteCarlo(*fields, case.space.longest, 6)
    outcomes = [last_of(smc.run(_engine("llama"), seed)).outcome for seed in range(100)]
    ratios = np.exp([outcome.log_z - log_z for outcome in outcomes if outcome and outcome.log_z is not None])
    assert abs(ratios.mean() - 1) < 3.5 * ratios.std(ddof=1) / 10 < 0.3


def test_particle_gibbs_keeps_the_law() -> None:
    case = CASES["unordered"]
    law = _law("gemma3-window", case, 1.0)
    states = [State(*x.labelled) for x in law.states()]
    pi = law.target(law.states())
    inner = case.kernel(MIXES[case.widest], 1.0)
    kernel = ParticleGibbs(inner, case.target(), blocks(case), case.space.longest, 6, every=2, together=2)
    number = {state: i for i, state in enumerate(states)}
    first = [states[i] for i in np.random.default_rng(1).choice(len(pi), size=800, p=pi)]
    after = states_after(kernel, _engine("gemma3-window"), first, 2, seed=3)
    statistic, freedom = pearson(np.bincount([number[state] for state in after], minlength=len(pi)), 800 * pi)
    assert (statistic - freedom) / (2 * freedom) ** 0.5 < 4
    assert sum(one != other for one, other in zip(first, after, strict=True)) > 200


def test_chains_of_different_contexts_keep_each_its_own_law() -> None:
    case, chains = CASES["duplicates"], 200
    here = Exact.of(_law("gemma3-window", case, 1.0), case.first)
    there_law = replace(
        _law("gemma3-window", case, 1.0), next_token=replace(_loaded("gemma3-window")[1], _rows={}, context=OTHER)
    )
    there = Exact.of(there_law, case.first)
    assert here.states == there.states
    assert total_variation(here.pi, there.pi) > 0.1, "the laws are too close to be told apart"
    kernel = case.kernel(MIXES[case.widest])
    model = RoutedModel([_engine("gemma3-window"), _engine("gemma3-window", OTHER)] * (chains // 2))
    # Neighbours that start from one state are under different contexts.
    first = [case.first for _ in range(chains)]
    forgotten = max(
        exact.steps_to_forget(np.eye(len(exact.states))[exact.states.index(case.first)]) for exact in (here, there)
    )
    seen = visited(kernel, model, here, first, 7, [forgotten + 14 * k for k in range(1, 7)])
    for half, exact in ((seen[:, ::2], here), (seen[:, 1::2], there)):
        empirical = np.bincount(half.ravel(), minlength=len(exact.states)) / half.size
        assert total_variation(empirical, exact.pi) <= 2 * exact.independent(half.size)


def test_proposals_of_another_context_keep_the_law() -> None:
    case = CASES["duplicates"]
    exact = Exact.of(_law("llama", case, 1.0), case.first)
    model = GuidedModel(_engine("llama"), _engine("llama", OTHER))
    distance = distance_to_target(case.kernel(MIXES[case.widest]), model, exact, seed=7)
    assert distance.holds, distance
