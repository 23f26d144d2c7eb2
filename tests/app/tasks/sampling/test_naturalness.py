"""What naturalness is told by."""

from __future__ import annotations

import numpy as np
import pytest

from app.languages.registry import LANGUAGES
from app.tasks.sampling.naturalness import features_of

TEXTS = {"zh": "她很喜欢这里的公园。", "en": "She likes the park very much."}
AFTER, ALONE = np.array([-3.0, -0.5, -9.0, -0.1, -1.5]), np.array([-6.5, -0.5, -7.0, -0.2, -1.0])


def test_features_are_of_the_words_and_of_both_log_probs() -> None:
    features = features_of("他们去公园，他们散步。", AFTER, ALONE, LANGUAGES["zh"])
    assert features["length"] == pytest.approx(np.log(5))
    assert features["words"] == 5 and features["distinct"] == pytest.approx(4 / 5)
    assert features["characters"] == pytest.approx(1 / 5) and features["pauses"] == 1
    assert features["context"] == pytest.approx(AFTER.mean() - ALONE.mean())
    assert [features[f"after.least_{n}"] for n in (1, 2, 4)] == pytest.approx([-9.0, -6.0, -3.5])
    assert [features[f"alone.below_{n}"] for n in (4, 6, 8)] == [2, 2, 0]
    assert [features[f"alone.{name}"] for name in ("second", "penultimate", "last")] == [-0.5, -0.2, -1.0]
    assert features["after.likely"] == pytest.approx(2 / 5) and features["after.median"] == -1.5


def test_the_shortest_sentence_has_them_all() -> None:
    one = np.array([-2.0])
    short = features_of("走", one, one, LANGUAGES["zh"])
    assert set(short) == set(features_of("他们去公园。", AFTER, ALONE, LANGUAGES["zh"]))
    assert {short[f"after.{name}"] for name in ("second", "penultimate", "last", "least_4")} == {-2.0}


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_weight_is_of_a_feature(code: str) -> None:
    """A feature that was renamed would lose its weight without a word."""
    odds = LANGUAGES[code].naturalness
    assert odds is not None
    names = {name.partition(">")[0] for name in odds.weights if name}
    assert names and names <= set(features_of("A dog runs.", AFTER, ALONE, LANGUAGES[code]))


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_token_that_nobody_expects_makes_a_sentence_unnatural(code: str) -> None:
    odds = LANGUAGES[code].naturalness
    assert odds is not None
    likely = np.array([-2.5, -1.5, -2.0, -0.5, -1.0, -2.0, -0.4])
    odd = np.array([-2.5, -1.5, -11.0, -9.5, -1.0, -10.0, -0.4])
    natural, unnatural = (
        odds.probability(features_of(TEXTS[code], each, each - 0.3, LANGUAGES[code])) for each in (likely, odd)
    )
    assert unnatural < natural / 2
