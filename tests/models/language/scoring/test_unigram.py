"""Frequencies of words by a model."""

from __future__ import annotations

import numpy as np
import pytest

from models.language.scoring.unigram import log_frequencies
from tests.support.tiny_model import CONFIGS, engine, vocabulary


@pytest.mark.parametrize("family", ["llama", "gemma2-narrow"])
def test_they_are_the_mean_of_the_next_token_s_distribution(family: str) -> None:
    mask = vocabulary([4, 7, 9, 11, 3, 5], 4, 2)
    scorer, plain = engine(CONFIGS[family](), mask)
    output = scorer.forward.output(mask)
    texts = [(2, 8, 30), (2, 4), (2, 9, 9, 9, 5)]
    rows = np.concatenate([plain.rows(text) for text in texts])
    found = log_frequencies(scorer, output, texts)
    np.testing.assert_allclose(found, np.log(np.exp(rows).mean(0)), atol=2e-5)
    assert np.exp(found).sum() == pytest.approx(1)
