"""The sentence encoder, where it is installed."""

from __future__ import annotations

import numpy as np
import pytest

from models.similarity.encoder import Encoder, installed

pytestmark = pytest.mark.skipif(not installed(), reason="the extra `similarity` is not installed")


def test_sentences_of_one_meaning_are_nearer_than_others() -> None:
    encoder = Encoder()
    texts = [
        "How do I learn to cook?",
        "What is the best way to learn cooking?",
        "Where do penguins live?",
        "怎样学做菜？",
    ]
    vectors = encoder.encode(texts)
    assert vectors.shape == (4, 384) and "multilingual-e5-small" in encoder.name
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    _, same, other, chinese = vectors @ vectors[0]
    assert same > other + 0.05 and chinese > other


def test_a_text_hangs_on_none_beside_it() -> None:
    encoder = Encoder()
    texts = ["One.", "A second one, which is longer than the first.", "第三句。"]
    alone = np.concatenate([encoder.encode([text]) for text in texts])
    assert np.array_equal(encoder.encode(texts), alone)
    assert np.array_equal(encoder.encode(texts[::-1])[::-1], alone)
