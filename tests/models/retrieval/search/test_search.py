"""Search against exhaustive enumeration and against Hugging Face, on random small indexes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.retrieval.search.options import SearchOptions
from models.retrieval.search.search import search
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.families import FIRST, Family, causal, encoder_decoder

FAMILIES: dict[str, Any] = {
    "llama": lambda: causal("llama"),
    "gemma3": lambda: causal("gemma3"),
    "t5": lambda: encoder_decoder("t5"),
    "bart": lambda: encoder_decoder("bart"),
}
LETTERS = st.integers(FIRST, FIRST + 3)
# Few letters, so that keys share prefixes and are prefixes of each other; a common beginning now and
# then, so that the root forces a run; long tails, so that runs are forced within.
KEYS = st.builds(
    lambda keys, shared: [(*shared, *key) for key in keys],
    st.lists(st.lists(LETTERS, min_size=1, max_size=6), min_size=1, max_size=12),
    st.lists(LETTERS, max_size=3),
)
QUESTION = st.text("abcdefg", min_size=1, max_size=8)


@pytest.fixture(params=list(FAMILIES), scope="module")
def family(request: pytest.FixtureRequest) -> Family:
    made: Family = FAMILIES[request.param]()
    return made


@settings(max_examples=50)
@given(keys=KEYS, question=QUESTION, n=st.integers(1, 5), by_raw=st.booleans())
def test_exact_mode_gives_the_true_best_in_order(
    family: Family, keys: list[tuple[int, ...]], question: str, n: int, by_raw: bool
) -> None:
    index = DictIndex(keys)
    truth = family.truth(question, index)
    options = SearchOptions(n=n, mode="exact", score="raw" if by_raw else "renormalised", with_raw=True)
    (answer,) = search(index, family.key_model, [question], options)
    assert answer.proven
    ordered = sorted((pair[0 if by_raw else 1] for pair in truth.values()), reverse=True)[:n]
    np.testing.assert_allclose([found.rank_score for found in answer.found], ordered, atol=2e-4)
    assert len({found.tokens for found in answer.found}) == len(ordered)
    for found in answer.found:
        raw, renormalised = truth[found.tokens]
        assert index.key(found.number) == found.tokens
        assert found.raw == pytest.approx(raw, abs=2e-4)
        assert found.renormalised == pytest.approx(renormalised, abs=2e-4)


@settings(max_examples=50)
@given(keys=KEYS, questions=st.lists(QUESTION, min_size=1, max_size=4), by_raw=st.booleans(), mean=st.booleans())
def test_a_beam_as_wide_as_the_index_equals_enumeration(
    family: Family, keys: list[tuple[int, ...]], questions: list[str], by_raw: bool, mean: bool
) -> None:
    index = DictIndex(keys)
    wide = len(index)
    penalty = 1.0 if mean else 0.0
    options = SearchOptions(
        n=wide, beams=wide, score="raw" if by_raw else "renormalised", length_penalty=penalty, with_raw=True
    )
    for question, answer in zip(questions, search(index, family.key_model, questions, options), strict=True):
        assert {found.tokens for found in answer.found} == set(index.keys), "no key is lost"
        ranks = [found.rank_score for found in answer.found]
        assert ranks == sorted(ranks, reverse=True)
        truth = family.truth(question, index)
        for found in answer.found:
            raw, renormalised = truth[found.tokens]
            assert found.raw == pytest.approx(raw, abs=2e-4)
            assert found.renormalised == pytest.approx(renormalised, abs=2e-4)
            expected = (raw if by_raw else renormalised) / (len(found.tokens) + 1) ** penalty
            assert found.rank_score == pytest.approx(expected, abs=2e-4)


@settings(max_examples=50)
@given(keys=KEYS, question=QUESTION, beams=st.integers(2, 4), penalty=st.sampled_from([0.0, 0.5, 1.0, 2.0]))
def test_raw_beam_search_equals_hugging_face(
    family: Family, keys: list[tuple[int, ...]], question: str, beams: int, penalty: float
) -> None:
    index = DictIndex(keys)
    expected = family.generate(question, index, beams, penalty)
    options = SearchOptions(n=beams, beams=beams, score="raw", length_penalty=penalty)
    (answer,) = search(index, family.key_model, [question], options)
    assert [found.tokens for found in answer.found] == [tokens for tokens, _ in expected]
    np.testing.assert_allclose([found.rank_score for found in answer.found], [s for _, s in expected], atol=5e-4)
