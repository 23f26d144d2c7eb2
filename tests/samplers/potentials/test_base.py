"""Potentials in a run: asked in batches, once, and only about proposals that need it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from samplers import (
    DelayedAcceptance,
    LengthBounds,
    MetropolisHastings,
    Potential,
    Product,
    State,
    Target,
    from_text,
    generators,
    run,
)
from samplers.constraints.length import tokens
from samplers.testing.toy import STOP, A, B, ToyLanguage, decode
from tests.samplers.spaces import MIXES, Network, cases

CASE = next(case for case in cases() if case.name == "unordered")


def kernel(potential: Potential | None, delayed: int = 0, lookahead: int = 1) -> MetropolisHastings:
    plain = CASE.kernel(MIXES["all"], delayed=delayed)
    return replace(plain, target=replace(plain.target, potential=potential), lookahead=lookahead)


@dataclass
class Constant:
    """The same value for every state."""

    value: object

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> np.ndarray:
        return np.full(len(states), self.value)


class Sides:
    """A potential that answers only once the model has been asked too."""

    def __init__(self) -> None:
        self.scored = asyncio.Event()

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> np.ndarray:
        await asyncio.wait_for(self.scored.wait(), 60)
        return np.zeros(len(states))


def test_a_product_weighs_its_terms_and_no_weight_lifts_minus_infinity() -> None:
    states = [from_text((A, STOP)), from_text((A, A, B, STOP))]
    short = LengthBounds(tokens, 0, 3)
    values = asyncio.run(
        Product([(2.0, Constant(1.5)), (-1.0, Constant(4.0)), (-3.0, short)]).log_weights(states, ["a.", "a a b."])
    )
    assert values.tolist() == [-1.0, -np.inf]
    assert asyncio.run(Product([]).log_weights(states, ["a.", "a a b."])).tolist() == [0.0, 0.0]


@pytest.mark.parametrize("value", [np.nan, np.inf, [0.0, 1.0, 2.0]], ids=["nan", "infinity", "shape"])
def test_a_potential_that_gives_no_weights_is_refused(value: object) -> None:
    @dataclass
    class Wrong(Constant):
        async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> np.ndarray:
            return np.array(self.value if isinstance(self.value, list) else [self.value] * len(states))

    target = Target(decode, potential=Wrong(value))
    with pytest.raises(ValueError, match=r"Wrong.log_weights must give 2 values, each finite or -inf"):
        asyncio.run(target.log_weights([from_text((A, STOP)), from_text((B, STOP))]))


def test_equal_states_are_asked_about_once() -> None:
    network = Network()
    states = [from_text((A, STOP)), from_text((B, STOP)), from_text((A, STOP))]
    first, second, third = asyncio.run(Target(decode, potential=network).log_weights(states))
    assert network.asked == [states[:2]]
    assert first == third != second


@pytest.mark.parametrize("delayed", [0, 1], ids=["", "delayed"])
def test_one_call_a_round_and_never_about_the_state_of_a_chain(delayed: int) -> None:
    async def check() -> None:
        network, model = Network(), ToyLanguage()
        stood: set[State] = set()
        calls = 0
        async for step in run(kernel(network, delayed, 6), model, [CASE.first], generators(2, 1), 120):
            assert len(network.asked) <= calls + 1
            # The state before the advance is weighed already, and the one after it was asked about.
            assert not any(state in stood for asked in network.asked[calls:] for state in asked)
            calls, stood = len(network.asked), {chain.state for chain in step.chains}
        assert calls > 10
        assert max(map(len, network.asked)) > 1

    asyncio.run(check())


def test_chains_share_a_call() -> None:
    async def check() -> None:
        network, model = Network(), ToyLanguage()
        async for _ in run(kernel(network), model, [CASE.first] * 40, generators(2, 40), 10):
            pass
        scores = [size for name, size in model.calls if name == "score"]
        assert len(network.asked) == len(scores) == 11
        assert np.mean([len(asked) for asked in network.asked[1:]]) > 5

    asyncio.run(check())


@pytest.mark.parametrize("tail", [1, 9], ids=["window", "whole sentence"])
def test_the_second_stage_alone_is_weighed(tail: int) -> None:
    async def check() -> None:
        network, model = Network(), ToyLanguage()
        expected, seen, proposed = 0, 1, 0
        async for step in run(kernel(network, tail, 3), model, [CASE.first] * 10, generators(3, 10), 40):
            asked = [state for states in network.asked[seen:] for state in states]
            assert len(asked) <= expected
            seen = len(network.asked)
            waiting = [one for chain in step.chains for one in chain.prefetched if one.waits]
            for one in waiting:
                assert one.weight_open and one.first_log_ratio is not None and one.log_uniform < one.first_log_ratio
                # With the whole sentence in the window nothing is left for the model to score.
                assert (one.score_request is None) == (one.scored is not None)
                assert tail == 1 or one.score_request is None
            expected = len(waiting)
            proposed += sum(attempt.proposed for chain in step.chains for attempt in chain.info.tries)
        weighed = sum(map(len, network.asked[1:]))
        assert 0 < weighed < 0.8 * proposed

    asyncio.run(check())


@pytest.mark.parametrize("delayed", [0, 2], ids=["", "delayed"])
def test_the_model_is_asked_beside_the_potential(delayed: int) -> None:
    async def check() -> None:
        potential = Sides()
        potential.scored.set()
        law = kernel(potential, delayed, 8)

        class Model(ToyLanguage):
            async def score(self, sentences: Sequence[tuple[int, ...]], bases: Sequence[object]) -> list:
                await asyncio.sleep(0)  # the potential waits by now
                potential.scored.set()
                return await ToyLanguage.score(self, sentences, bases)  # type: ignore[arg-type]

        async for _ in run(law, Model(), [CASE.first] * 8, generators(1, 8), 20):
            potential.scored.clear()

    asyncio.run(check())


@pytest.mark.parametrize("delayed", [0, 1], ids=["", "delayed"])
def test_a_potential_of_zero_changes_no_path(delayed: int) -> None:
    """With two stages the draws are the same as well, whether or not a second stage is without tokens to score."""

    async def path(potential: Potential | None) -> list[list[State]]:
        return [
            [chain.state for chain in step.chains]
            async for step in run(kernel(potential, delayed), ToyLanguage(), [CASE.first] * 5, generators(1, 5), 60)
            if delayed == 0 or step.number in (0, 60)
        ]

    plain, weighed = asyncio.run(path(None)), asyncio.run(path(Constant(0.0)))
    assert plain[-1] == weighed[-1] and plain[0] == weighed[0]
    assert delayed or plain == weighed


def test_a_first_state_of_density_zero_is_refused() -> None:
    law = MetropolisHastings(Target(decode, potential=Network()), CASE.kernel(MIXES["replace"]).moves, MIXES["replace"])
    assert isinstance(CASE.kernel(MIXES["all"], delayed=1), DelayedAcceptance)
    with pytest.raises(ValueError, match="density 0 by the potential: 'b b\\.'"):
        asyncio.run(law.init([from_text((A, STOP)), from_text((B, B, STOP))], ToyLanguage()))
