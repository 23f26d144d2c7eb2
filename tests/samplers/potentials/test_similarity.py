"""Similarity of meaning: 1 for the text itself, and asked about each sentence once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from samplers import from_text
from samplers.potentials.similarity import Cosine, Information
from samplers.testing import PotentialLaws
from samplers.testing.toy import BANG, STOP, A, B, C, ToyLanguage, decode

SOURCE = (A, B, C, STOP)
OTHERS = [(A, B, STOP), (C, C, A, BANG), (STOP,)]
STATES = [from_text(tokens) for tokens in (SOURCE, *OTHERS)]


async def letters(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """How often each letter occurs, as vectors of length 1."""
    counts = np.array([[1 + text.count(letter) for letter in "abc."] for text in texts], dtype=np.float32)
    vectors: npt.NDArray[np.float32] = counts / np.linalg.norm(counts, axis=1, keepdims=True)
    return vectors


def information() -> Information:
    return Information(SOURCE, ToyLanguage(seed=1), ToyLanguage(seed=2))


def weights(potential: Cosine | Information, tokens: Sequence[tuple[int, ...]]) -> npt.NDArray[np.float64]:
    states = [from_text(each) for each in tokens]
    return asyncio.run(potential.log_weights(states, [decode(each) for each in tokens]))


def test_a_cosine_is_that_of_the_vectors() -> None:
    cosine = Cosine(decode(SOURCE), letters)
    found = weights(cosine, [SOURCE, *OTHERS])
    vectors = asyncio.run(letters([decode(each) for each in (SOURCE, *OTHERS)]))
    np.testing.assert_allclose(found, np.minimum(vectors @ vectors[0], 1) - 1, atol=1e-6)
    assert found[0] == pytest.approx(0, abs=1e-6) and found[2] < -0.01
    assert cosine.of(STATES[1]) == pytest.approx(float(vectors[1] @ vectors[0]))


def test_information_is_what_the_text_tells_of_a_sentence_as_a_share_of_what_it_tells_of_itself() -> None:
    measure, given, alone = information(), ToyLanguage(seed=1), ToyLanguage(seed=2)

    def told(tokens: tuple[int, ...]) -> float:
        return sum(
            float(np.log(given.probabilities(tokens[:at])[token] / alone.probabilities(tokens[:at])[token]))
            for at, token in enumerate(tokens)
        )

    found = weights(measure, [SOURCE, *OTHERS])
    shares = [told(tokens) / max(told(SOURCE), 1.0) for tokens in (SOURCE, *OTHERS)]
    np.testing.assert_allclose(found, np.minimum(shares, 1) - 1, atol=1e-9)
    assert [measure.of(state) for state in STATES] == pytest.approx(shares)


def test_what_was_measured_is_not_measured_again() -> None:
    asked: list[str] = []

    async def counted(texts: Sequence[str]) -> npt.NDArray[np.float32]:
        asked.extend(texts)
        return await letters(texts)

    cosine = Cosine(decode(SOURCE), counted)
    first = weights(cosine, [*OTHERS, OTHERS[0]])
    assert len(asked) == 1 + len(OTHERS)
    assert weights(cosine, [OTHERS[0], *OTHERS]).tolist() == [first[0], *first[:3]]
    assert len(asked) == 1 + len(OTHERS)


class TestCosine(PotentialLaws):
    potential = Cosine(decode(SOURCE), letters)
    states = STATES


class TestInformation(PotentialLaws):
    potential = information()
    states = STATES
