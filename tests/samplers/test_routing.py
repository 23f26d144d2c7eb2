"""A model for each chain, and a model that proposes for another: each keeps the law that it claims."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from samplers import (
    DelayedAcceptance,
    Delete,
    Insert,
    KeywordBlocks,
    LengthBounds,
    MetropolisHastings,
    ProposalQuery,
    Replace,
    State,
    Target,
    construct,
    from_text,
    generators,
)
from samplers.constraints.length import tokens
from samplers.routing import GuidedModel, RoutedModel, construct_each
from samplers.testing import KernelLaws, decode
from samplers.testing.kernel_laws import exact_law, pearson, states_after
from samplers.testing.toy import ENDS, INTERIOR, STOP, A, K, ToyLanguage

TARGET = Target(decode, [LengthBounds(tokens, 1, 3)])
FREE = [(), *((a,) for a in INTERIOR), *((a, b) for a in INTERIOR for b in INTERIOR)]
STATES = [from_text((*free, end)) for free in FREE for end in ENDS]
MIX = {"replace": 0.4, "insert": 0.3, "delete": 0.3}
MOVES = (Replace(), Insert(), Delete())
KERNELS = [MetropolisHastings(TARGET, MOVES, MIX, lookahead=3), DelayedAcceptance(TARGET, MOVES, MIX, tail=1)]
FIRST, SECOND = ToyLanguage(seed=1, spread=1.5), ToyLanguage(seed=2, spread=1.5)


def deviation(after: Sequence[State], law: np.ndarray) -> float:
    number = {state: place for place, state in enumerate(STATES)}
    counts = np.bincount([number[state] for state in after], minlength=len(law))
    statistic, freedom = pearson(counts, len(after) * law)
    return float((statistic - freedom) / np.sqrt(2 * max(freedom, 1)))


@pytest.mark.parametrize("kernel", KERNELS, ids=["one stage", "two stages"])
def test_each_chain_keeps_the_law_of_its_own_model_and_the_union_their_mixture(kernel: MetropolisHastings) -> None:
    chains = 1200
    model = RoutedModel([FIRST, SECOND] * (chains // 2))
    laws = [exact_law(TARGET, each, STATES) for each in (FIRST, SECOND)]
    assert np.abs(laws[0] - laws[1]).sum() / 2 > 0.2, "the two laws are too close to be told apart"
    after = states_after(kernel, model, [STATES[0]] * chains, 60, seed=3)
    assert deviation(after[::2], laws[0]) < 4
    assert deviation(after[1::2], laws[1]) < 4
    assert deviation(after, (laws[0] + laws[1]) / 2) < 4
    assert deviation(after[::2], laws[1]) > 4, "the test would not notice chains that share a model"


@pytest.mark.parametrize("kernel", KERNELS, ids=["one stage", "two stages"])
def test_a_chain_is_the_one_that_its_model_gives_alone(kernel: MetropolisHastings) -> None:
    first = [STATES[0]] * 8
    mixed = states_after(kernel, RoutedModel([FIRST, SECOND] * 4), first, 40, seed=5)
    one, other = (states_after(kernel, model, first, 40, seed=5) for model in (FIRST, SECOND))
    assert mixed[::2] == one[::2]
    assert mixed[1::2] == other[1::2]
    assert one[1::2] != other[1::2]


def test_chains_of_one_model_are_asked_about_together() -> None:
    asked = ToyLanguage(seed=1)
    model = RoutedModel([asked, SECOND, asked])
    scored = asyncio.run(model.score([(A, STOP)] * 3, [None] * 3))
    assert asked.calls == [("score", 2)]
    asyncio.run(model.propose([*scored, scored[0]], [ProposalQuery(0, 0.1, uniform=0.5)] * 4))
    assert asked.calls[1:] == [("propose", 3)]


def test_a_sentence_without_a_base_belongs_to_a_chain() -> None:
    with pytest.raises(ValueError, match="2 sentences, some without a base, for 3 chains"):
        asyncio.run(RoutedModel([FIRST, SECOND, FIRST]).score([(A, STOP)] * 2, [None] * 2))


def test_first_states_are_those_of_each_chain_s_model() -> None:
    blocks = KeywordBlocks([[(K,)]], False, STOP)
    target = Target(decode, [LengthBounds(tokens, 1, 6)])
    drawn = asyncio.run(construct_each(blocks, target, [FIRST, SECOND, FIRST], generators(4, 3), drafts=2))
    alone = [asyncio.run(construct(blocks, target, each, generators(4, 3), drafts=2)) for each in (FIRST, SECOND)]
    assert drawn == [alone[0][0], alone[1][1], alone[0][2]]


class TestGuidedModel(KernelLaws):
    """Rows of another model are proposals for the law of this one."""

    model = GuidedModel(ToyLanguage(seed=1, spread=1.5), ToyLanguage(seed=2, spread=1.5))
    kernel = KERNELS[1]
    target = TARGET
    states = STATES
    outside = from_text((0, 0, 0, 0, ENDS[0]))

    def test_the_law_is_not_the_guide_s(self) -> None:
        after = states_after(self.kernel, self.model, [STATES[0]] * 600, 60, seed=3)
        assert deviation(after, exact_law(TARGET, FIRST, STATES)) < 4
        assert deviation(after, exact_law(TARGET, SECOND, STATES)) > 4


def test_the_guide_reads_a_sentence_once() -> None:
    guide = ToyLanguage(seed=2)
    model = GuidedModel(FIRST, guide)

    async def ask() -> None:
        scored = await model.score([(A, STOP), (K, STOP)], [None, None])
        assert guide.calls == [], "what nothing is proposed from is not read"
        query = ProposalQuery(0, 0.1, uniform=0.3)
        replies = await model.propose([scored[0], scored[0]], [query, query])
        assert replies == await guide.propose(await guide.score([(A, STOP)], [None]), [query]) * 2
        guide.calls.clear()
        await model.propose([scored[0]], [query])
        assert guide.calls == [("propose", 1)]

    asyncio.run(ask())
