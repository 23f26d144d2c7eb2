"""First states from sequential Monte Carlo, and from drafts where it has too few."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from samplers.constraints.forbidden import ForbiddenWords
from samplers.routing import construct_each
from samplers.run import generators
from samplers.sequential_starts import likeliest
from samplers.smc import SequentialMonteCarlo
from tests.samplers.draws import Whole, blocks
from tests.samplers.spaces import cases

CASE = {case.name: case for case in cases()}["unordered"]
SMC = SequentialMonteCarlo(CASE.target(), blocks(CASE), CASE.space.longest, 400, beta=2.5)


def test_the_likeliest_of_all_comes_first_and_kinds_before_their_like() -> None:
    whole = Whole.of(CASE)
    found = asyncio.run(likeliest(SMC, CASE.model, 1, 1000))
    assert found[0] == whole.states[int(whole.pi.argmax())]
    assert len(set(found)) == len(found) > 20
    kinds = [(*state.keywords, state.tokens[0]) for state in found]
    count = len(set(kinds))
    assert len(set(kinds[:count])) == count, "one of each order and first token comes before a second"
    assert found[:3] == asyncio.run(likeliest(SMC, CASE.model, 1, 3))


def test_chains_without_a_sentence_of_the_population_start_from_drafts() -> None:
    few = replace(SMC, particles=1)

    async def first(smc: SequentialMonteCarlo | None) -> list[object]:
        rngs = generators(5, 40)
        return list(await construct_each(blocks(CASE), CASE.target(), [CASE.model] * 40, rngs, smc=smc, seed=3))

    states, drafts = asyncio.run(first(few)), asyncio.run(first(None))
    found = asyncio.run(likeliest(replace(SMC, particles=16), CASE.model, 3, 40))
    assert 0 < len(found) < 40 and states[: len(found)] == found
    assert states[len(found) :] == drafts[len(found) :]


def test_where_nothing_comes_through_there_is_none() -> None:
    impossible = replace(SMC, target=replace(CASE.target(), constraints=[ForbiddenWords(["kt"])]), particles=8)
    assert asyncio.run(likeliest(impossible, CASE.model, 1, 4)) == []
