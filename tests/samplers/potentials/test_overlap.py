"""N-gram overlap: sacrebleu's sentence BLEU, and a potential that ends where it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest

from samplers import from_text
from samplers.bleu import NGrams
from samplers.constraints.words import spaced_boundaries
from samplers.potentials.overlap import Overlap
from samplers.spans import Span
from samplers.testing import PotentialLaws
from samplers.testing.toy import BANG, STOP, A, B, C


def words(text: str) -> list[Span]:
    """Runs of letters."""
    edges = sorted(spaced_boundaries(text))
    return [(a, b) for a, b in zip(edges, edges[1:], strict=False) if text[a:b].isalnum()]


def bleu(units: Sequence[str], reference: Sequence[str]) -> float:
    return NGrams.of(units).bleu(NGrams.of(reference))


@pytest.mark.parametrize("seed", range(40))
def test_it_is_sacrebleus_sentence_bleu(seed: int) -> None:
    metrics = pytest.importorskip("sacrebleu.metrics")
    rng = np.random.default_rng(seed)
    one, other = (" ".join(rng.choice(list("abcd"), rng.integers(1, 12))) for _ in range(2))
    if set(one.split()) & set(other.split()):
        theirs = metrics.BLEU(tokenize="none", smooth_method="floor", effective_order=True).sentence_score(one, [other])
        assert 100 * bleu(one.split(), other.split()) == pytest.approx(theirs.score)


def test_copying_is_one_and_nothing_in_common_is_zero() -> None:
    assert bleu(["a"], ["a"]) == bleu(list("abcde"), list("abcde")) == 1
    assert bleu(list("abc"), list("xyz")) == bleu([], ["a"]) == bleu(["a"], []) == 0
    assert 0 < bleu(list("abcd"), list("abdc")) < bleu(list("abcd"), list("abcde")) < 1


def test_beyond_what_is_allowed_it_costs_and_below_it_does_not() -> None:
    texts = ["a b c a.", "A B c!", "b."]
    states = tuple(from_text(tokens) for tokens in ((A, B, C, A, STOP), (A, B, C, BANG), (B, STOP)))
    free, bound = Overlap("a b c a.", words), Overlap("a b c a.", words, allowed=0.5)
    plain, bounded = (asyncio.run(one.log_weights(states, texts)) for one in (free, bound))
    assert plain[0] == -1 and bounded[0] == -0.5
    np.testing.assert_allclose(plain, [-free.of(text) for text in texts])
    np.testing.assert_allclose(bounded, np.minimum(plain + 0.5, 0))
    assert bounded[2] == 0 > plain[2]


class TestOverlap(PotentialLaws):
    potential = Overlap("a b a c.", words, allowed=0.3)
    states = tuple(from_text(tokens) for tokens in ((A, B, A, C, STOP), (A, B, STOP), (C, A, B, A, BANG), (STOP,)))
