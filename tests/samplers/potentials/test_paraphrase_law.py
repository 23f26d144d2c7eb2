"""The law of paraphrases by enumeration: each similarity with the overlap, on the toy and with a transformer."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from math import exp, log
from typing import Any

import numpy as np
import pytest

from samplers.constraints.differs import Differs
from samplers.potentials.base import Product
from samplers.potentials.overlap import Overlap
from samplers.potentials.similarity import Cosine, Information, Similarity
from samplers.target import Target
from samplers.testing.toy import PIECES, STOP, A, B, S, ToyLanguage, decode
from samplers.weights import log_sum
from tests.models.language.test_real_engine_law import OTHER, PlainTable, _engine, _loaded
from tests.samplers.checks import Exact, distance_to_target, one_step_deviation
from tests.samplers.potentials.test_overlap import words
from tests.samplers.potentials.test_similarity import letters
from tests.samplers.spaces import EPSILON, MIXES, cases

CASE = next(case for case in cases() if case.name == "free")
SOURCE = (A, B, A, STOP)
ALLOWED, AWAY, NEAR = 0.2, 1.0, 0.5
"""Small weights: where one state has most of the mass, chains of single edits are slow to tell of the others."""


def said(tokens: tuple[int, ...]) -> list[str]:
    """Words of a sentence, "s" grown onto the one before it."""
    return decode(tokens)[:-1].split()


def overlap(tokens: tuple[int, ...]) -> float:
    """Sentence BLEU against the source, from its definition."""
    ours, theirs = said(tokens), said(SOURCE)
    total = 0.0
    orders = range(1, min(4, len(ours)) + 1)
    for n in orders:
        own = Counter(" ".join(ours[i : i + n]) for i in range(len(ours) - n + 1))
        other = Counter(" ".join(theirs[i : i + n]) for i in range(len(theirs) - n + 1))
        matches = sum(min(count, other[gram]) for gram, count in own.items())
        if n == 1 and not matches:
            return 0.0
        total += log((matches or 0.1) / sum(own.values()))
    return exp(total / len(orders)) * min(1.0, exp(1 - len(theirs) / len(ours)))


def cosine(tokens: tuple[int, ...]) -> float:
    counts = [np.array([1 + decode(x).count(letter) for letter in "abc."]) for x in (tokens, SOURCE)]
    return float(counts[0] @ counts[1] / np.linalg.norm(counts[0]) / np.linalg.norm(counts[1]))


def information(given: Any, alone: Any, tokens: tuple[int, ...]) -> float:
    def told(x: tuple[int, ...]) -> float:
        return sum(log(given(x[:i])[token] / alone(x[:i])[token]) for i, token in enumerate(x))

    return min(1.0, told(tokens) / max(1.0, told(SOURCE)))


def densities_deviation(target: Target, model: Any, exact: Exact) -> float:
    """Greatest difference of the product's normalised log-densities to the enumeration's, in nats."""

    async def densities() -> list[float]:
        scored = await model.score([state.tokens for state in exact.states], [None] * len(exact.states))
        weights = await target.log_weights(exact.states)
        parts = zip(exact.states, scored, weights, strict=True)
        return [target.log_density(state, score.log_probs, weight, 1.0) for state, score, weight in parts]

    logs = np.array(asyncio.run(densities()))
    return float(np.abs(logs - log_sum(logs) - np.log(exact.pi)).max())


def checked(measure: Similarity, similarity: Any, model: Any, next_token: Any, delayed: int, seed: int) -> None:
    """One step has the rows of the exact matrix, and a run reaches the target."""

    def potential(tokens: tuple[int, ...]) -> float:
        return NEAR * (similarity(tokens) - 1) - AWAY * max(0.0, overlap(tokens) - ALLOWED)

    space = replace(CASE.space, admits=lambda x: CASE.space.admits(x) and said(x) != said(SOURCE))
    law = replace(CASE.law(MIXES["edits"], delayed=delayed), space=space, next_token=next_token, potential=potential)
    exact = Exact.of(law, CASE.first)
    kernel = CASE.kernel(MIXES["edits"], delayed=delayed)
    soft = Product([(AWAY, Overlap(decode(SOURCE), words, ALLOWED)), (NEAR, measure)])
    constraints = (*CASE.constraints, Differs(decode(SOURCE)))
    kernel = replace(kernel, target=replace(kernel.target, constraints=constraints, potential=soft))
    assert densities_deviation(kernel.target, model, exact) < 1e-4
    assert abs(one_step_deviation(kernel, model, exact, seed=seed, tries=8000 // len(exact.states))) < 4
    distance = distance_to_target(kernel, model, exact, seed=seed)
    assert distance.holds, distance


@pytest.mark.parametrize("delayed", [0, 1], ids=["", "delayed"])
@pytest.mark.parametrize("by", ["cosine", "information"])
def test_the_law_on_the_toy(by: str, delayed: int) -> None:
    given, alone = ToyLanguage(), ToyLanguage(seed=9)
    if by == "cosine":
        checked(Cosine(decode(SOURCE), letters), cosine, ToyLanguage(), given.probabilities, delayed, 3)
    else:
        measure = Information(SOURCE, given, alone)
        rows = (given.probabilities, alone.probabilities)
        checked(measure, lambda x: information(*rows, x), ToyLanguage(), given.probabilities, delayed, 4)


def test_the_law_with_a_transformer() -> None:
    """Two contexts of one model, as in the service: one that tells of the text and one that does not."""
    given, alone = _engine("llama"), _engine("llama", OTHER)
    tables = [_loaded("llama")[1]]
    tables.append(PlainTable(tables[0].plain, {}, OTHER))
    measure = Information(SOURCE, given, alone)
    checked(measure, lambda x: information(*tables, x), _engine("llama"), tables[0], 1, 5)


def test_the_spaces_have_what_the_laws_are_about() -> None:
    assert S in CASE.space.interior and len(PIECES) == 8 and EPSILON > 0
    assert overlap(SOURCE) == pytest.approx(1) and overlap((A, B, STOP)) < 1
