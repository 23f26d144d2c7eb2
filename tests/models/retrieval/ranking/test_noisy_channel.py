"""The second order of doubtful candidates: by how likely the question is under each."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.retrieval.examples import Example
from models.retrieval.fact import Fact
from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.overlay import OverlayView
from models.retrieval.index.sources import Records
from models.retrieval.ranking.logit import FEATURES as OF_A_KEY
from models.retrieval.ranking.logit import Ranking
from models.retrieval.ranking.noisy_channel import FEATURES, MAX_DOUBTFUL, MIN_DOUBT_SHARE, NoisyChannel, doubtful
from models.retrieval.search.options import SearchOptions
from models.retrieval.search.search import search
from models.retrieval.training.calibrate import calibrate, is_right
from models.retrieval.writers.causal import CausalKeyModel
from models.retrieval.writers.question_model import QuestionModel
from tests.models.retrieval.families import causal, encode

EXAMPLES = [Example("abc m xy", Fact("abc", "xy", "", "")), Example("who de", Fact("de", "uv", "", ""))]
PREDICATES = ("xy", "uv", "st")
LOGS = st.lists(st.floats(-30, 0), min_size=1, max_size=15).map(np.array)


@dataclass(eq=False)
class Knowing:
    """Gives a question nearly all its probability under keys with one predicate: its own, or the same for all."""

    predicate: str = "uv"
    own: dict[str, str] = field(default_factory=dict)
    asked: list[int] = field(default_factory=list)

    def log_likelihoods(self, question: str, keys: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        self.asked.append(len(keys))
        right = self.own.get(question, self.predicate)
        return np.array([0.0 if key[1] == right else -8.0 for key in keys])


def by_question(likelihood: Knowing) -> NoisyChannel:
    """An order that knows nothing else."""
    count = len(FEATURES)
    weights = tuple(float(name == "question") for name in FEATURES)
    return NoisyChannel(likelihood, Ranking(FEATURES, (0.0,) * count, (1.0,) * count, weights))


def test_the_likelihood_is_that_of_the_models_own_forward() -> None:
    family = causal("gemma3")
    assert isinstance(family.key_model, CausalKeyModel)
    questions = QuestionModel(family.key_model.scorer, encode, 2, EXAMPLES)
    keys = [("abc", "xy", ""), ("b", "uvw", "c"), ("b", "uvw", "d"), ("abc", "", "")]
    found = questions.log_likelihoods("what  is\nabc", keys)
    before = "abc xy → abc m xy\nde uv → who de\n"
    for key, log in zip(keys, found, strict=True):
        asked, line = encode("what is abc"), [2, *encode(before), *encode(f"{key[0]} {key[1]} → ")]
        with torch.inference_mode():
            rows = family.plain(input_ids=torch.tensor([[*line, *asked]])).logits[0].double().log_softmax(-1)
        expected = sum(float(rows[len(line) - 1 + i, token]) for i, token in enumerate(asked))
        assert log == pytest.approx(expected, abs=1e-3)
    assert found[1] == found[2] and len(set(found.tolist())) == 3


@given(LOGS)
def test_doubtful_are_the_likeliest_close_to_the_best(first: NDArray[np.float64]) -> None:
    kept = doubtful(first)
    assert kept[0] == np.argmax(first) and len(kept) <= MAX_DOUBTFUL and len(set(kept.tolist())) == len(kept)
    assert (np.diff(first[kept]) <= 0).all()
    close = int((first >= first.max() + np.log(MIN_DOUBT_SHARE)).sum())
    assert len(kept) == min(close, MAX_DOUBTFUL)


@given(LOGS, st.randoms(use_true_random=False))
def test_probability_moves_among_the_doubtful_only(first: NDArray[np.float64], rng: random.Random) -> None:
    first = first - np.logaddexp.reduce(first)
    likelihood = Knowing("xy")
    keys = [("a", rng.choice(["xy", "uv"]), "") for _ in first]
    columns = np.zeros((len(first), len(OF_A_KEY)))
    both = by_question(likelihood).order("a", keys, columns, first).log_probs
    kept = doubtful(first)
    assert np.logaddexp.reduce(both) == pytest.approx(0, abs=1e-9)
    others = np.setdiff1d(np.arange(len(first)), kept)
    np.testing.assert_array_equal(both[others], first[others])
    if len(kept) == 1:
        assert not likelihood.asked and both is first
    else:
        assert likelihood.asked == [len(kept)]
        scores = np.array([0.0 if keys[i][1] == "xy" else -8.0 for i in kept])
        expected = scores - scores.max()
        np.testing.assert_allclose(np.diff(both[kept]), np.diff(expected), atol=1e-9)


def town(tmp_path: Path) -> tuple[OverlayView, CausalKeyModel, list[Example]]:
    """Names with three predicates each, of which no question names one."""
    family = causal("gemma3")
    assert isinstance(family.key_model, CausalKeyModel)
    rng = random.Random(1)
    names = ["".join(rng.sample("abcdefgh", 4)) for _ in range(60)]
    records = Records([(name, predicate, "value") for name in names for predicate in PREDICATES])
    triples = KeyFormat.triples((family.key_model.codec.separator,))
    build(tmp_path / "index", [records], triples, lambda texts: [*map(encode, texts)], tokenizer="letters")
    index = OverlayView.of(CompiledIndex.open(tmp_path / "index"))
    return (
        index,
        family.key_model,
        [Example(f"{name} m", Fact(name, rng.choice(PREDICATES), "", "value")) for name in names],
    )


def test_a_search_asks_back_for_all_candidates_and_then_gives_the_best(tmp_path: Path) -> None:
    index, model, examples = town(tmp_path)
    plain = SearchOptions(n=100, beams=3, ranking=Ranking.of_model())
    questions = [example.question for example in examples[:8]]
    all_of = search(index, model, questions, plain)
    likelihood = Knowing("uv")
    answers = search(index, model, questions, replace(plain, n=2, noisy_channel=by_question(likelihood)))
    for question, first, second in zip(questions, all_of, answers, strict=True):
        logs = np.array([found.rank_score for found in first.found])
        keys = [model.codec.parts(found.tokens) for found in first.found]
        columns = np.zeros((len(logs), len(OF_A_KEY)))
        expected = by_question(Knowing("uv")).order(question, keys, columns, logs).log_probs
        order = np.argsort(-expected, kind="stable")[:2]
        assert [found.tokens for found in second.found] == [first.found[i].tokens for i in order]
        np.testing.assert_allclose([found.rank_score for found in second.found], expected[order], atol=1e-9)
    assert likelihood.asked


def test_calibration_learns_what_the_question_tells_and_no_other_feature_does(tmp_path: Path) -> None:
    index, model, examples = town(tmp_path)
    options = SearchOptions(n=1, beams=3)
    alone = calibrate(model, index, examples[:40], options)
    knowing = Knowing(own={example.question: example.fact.predicate for example in examples})
    both = calibrate(model, index, examples[:40], options, likelihood=knowing)
    assert alone.noisy_channel is None and both.ranking == alone.ranking
    assert both.noisy_channel is not None and both.noisy_channel.features == FEATURES
    assert both.right > 0.9 and alone.right < 0.7
    fitted = replace(options, ranking=both.ranking, noisy_channel=NoisyChannel(knowing, both.noisy_channel))
    answers = search(index, model, [example.question for example in examples[40:]], fitted)
    assert sum(is_right(model, *pair) for pair in zip(examples[40:], answers, strict=True)) >= 18


def test_a_channel_needs_a_ranking() -> None:
    with pytest.raises(ValueError, match="needs one"):
        SearchOptions(noisy_channel=by_question(Knowing("xy")))
