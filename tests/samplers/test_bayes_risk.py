"""Minimum Bayes risk: means over pseudo-references, by their definition."""

from __future__ import annotations

from statistics import fmean

import numpy as np
import pytest

from samplers.bayes_risk import expected_bleu
from samplers.bleu import NGrams


@pytest.mark.parametrize("seed", range(8))
def test_it_is_the_mean_bleu(seed: int) -> None:
    rng = np.random.default_rng(seed)
    references = [NGrams.of(list(rng.choice(list("abcd"), rng.integers(1, 9)))) for _ in range(6)]
    for candidate, value in zip(references, expected_bleu(references[:4], references), strict=False):
        assert value == pytest.approx(fmean(candidate.bleu(one) for one in references))


def test_it_is_greatest_for_what_most_of_them_say() -> None:
    said = [NGrams.of(text.split()) for text in ("a b c d e", "a b c d x", "y b c d e", "p q r")]
    values = expected_bleu(said, said)
    assert np.argmax(values) == 0 and np.argmin(values) == 3
