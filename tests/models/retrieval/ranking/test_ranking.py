"""Candidates that a question names, their scores, and the order that is fitted for them."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.retrieval.examples import Example
from models.retrieval.fact import Fact
from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.overlay import OverlayView
from models.retrieval.index.sources import Records
from models.retrieval.misspelt import misspelt_span
from models.retrieval.ranking.logit import FEATURES, Ranking, RankingError, features
from models.retrieval.search.mentions import Mentions, spans_of
from models.retrieval.search.options import SearchOptions
from models.retrieval.search.search import search
from models.retrieval.training.calibrate import calibrate, is_right, searches, without
from models.retrieval.writers.codec import KeyCodec
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.families import Family, causal, encode, encoder_decoder
from tests.models.retrieval.mentioned import candidates

FAMILIES: dict[str, Any] = {"gemma3": lambda: causal("gemma3"), "t5": lambda: encoder_decoder("t5")}
NAMES = st.text("abc", min_size=1, max_size=4)
FACTS = st.lists(st.tuples(NAMES, st.text("abcxy", min_size=1, max_size=4), st.text("xy", max_size=1)), min_size=1)


@pytest.fixture(params=list(FAMILIES), scope="module")
def family(request: pytest.FixtureRequest) -> Family:
    made: Family = FAMILIES[request.param]()
    return made


def indexed(family: Family, facts: list[tuple[str, str, str]]) -> DictIndex:
    return DictIndex(family.key_model.codec.key(fact) for fact in facts)


@settings(max_examples=40)
@given(facts=FACTS, question=st.text("abcxy", min_size=1, max_size=6), beams=st.integers(1, 3))
def test_candidates_are_the_beams_keys_and_the_named_ones_with_their_true_scores(
    family: Family, facts: list[tuple[str, str, str]], question: str, beams: int
) -> None:
    index, codec = indexed(family, facts), family.key_model.codec
    by_beam = SearchOptions(n=beams, beams=beams)
    (plain,) = search(index, family.key_model, [question], by_beam)
    with_raw = replace(by_beam, n=1000, ranking=Ranking.of_model(), with_raw=True)
    (answer,) = search(index, family.key_model, [question], with_raw)
    named = candidates(Mentions(index, codec), question)
    assert {found.tokens for found in answer.found} == {found.tokens for found in plain.found} | set(named)
    truth = family.truth(question, index)
    for found in answer.found:
        assert (found.raw, found.renormalised) == pytest.approx(truth[found.tokens], abs=2e-4)
    scores = [found.renormalised for found in answer.found]
    assert scores == sorted(scores, reverse=True)
    assert sum(np.exp([found.rank_score for found in answer.found])) == pytest.approx(1)


HAN = str.maketrans("abcxyz", "天地人日月星")
HAN_CODEC = KeyCodec.prefix_lm(lambda text: [10 if letter == "\n" else ord(letter) for letter in text], chr, 2, 1)


@given(facts=FACTS, question=st.text("abcxyz", min_size=1, max_size=6))
def test_keys_of_the_longest_named_subjects(facts: list[tuple[str, str, str]], question: str) -> None:
    question = question.translate(HAN)
    written = [tuple(part.translate(HAN) for part in fact) for fact in facts]
    codec = replace(HAN_CODEC, decode=lambda tokens: "".join(map(chr, tokens)))
    index = DictIndex(codec.key(fact) for fact in written)
    found = candidates(Mentions(index, codec, names=2, predicates=100, meanings=100), question)
    named = sorted({name for name, *_ in written if name in question}, key=lambda name: (-len(name), name))[:2]
    assert sorted(found) == sorted({codec.key(fact) for fact in written if fact[0] in named})
    fewer = candidates(Mentions(index, codec, names=2, predicates=1, meanings=1), question)
    assert len(fewer) == len(named) and set(fewer) <= set(found)


def test_spans_do_not_cut_words_and_are_bounded() -> None:
    assert list(spans_of("art in法国")) == [
        "art in法国",
        "art in法",
        "art in",
        "in法国",
        "art",
        "in法",
        "in",
        "法国",
        "国",
        "法",
    ]
    assert len(list(spans_of("中文" * 5000))) < 20_000


def test_the_fit_is_a_maximum_and_finds_what_it_was_drawn_from() -> None:
    rng = np.random.default_rng(0)
    true = rng.normal(size=len(FEATURES))
    questions: list[tuple[Any, int | None]] = []
    for _ in range(3000):
        x = rng.normal(size=(int(rng.integers(2, 7)), len(FEATURES)))
        p = np.exp(x @ true)
        questions.append((x, int(rng.choice(len(x), p=p / p.sum()))))
    fitted = Ranking.fit([*questions, (questions[0][0], None)])
    weights = np.array(fitted.weights) / np.array(fitted.scale)
    assert np.abs(weights - true).max() < 0.15

    def likelihood(ranking: Ranking) -> float:
        return sum(float(ranking.log_probs(x)[right]) for x, right in questions if right is not None)

    best = likelihood(fitted)
    for at in range(len(FEATURES)):
        for shift in (-0.2, 0.2):
            other = replace(fitted, weights=tuple(w + shift * (i == at) for i, w in enumerate(fitted.weights)))
            assert likelihood(other) < best


def test_a_ranking_is_written_and_what_is_damaged_is_told(tmp_path: Path) -> None:
    path = tmp_path / "ranking.json"
    Ranking.of_model().save(path)
    assert Ranking.load(path, FEATURES) == Ranking.of_model()
    record = json.loads(path.read_text("utf-8"))
    damaged = [{**record, "features": ["other"]}, {**record, "weights": [1.0]}, {**record, "scale": "abc"}, 7]
    for text in [*map(json.dumps, damaged), path.read_text("utf-8").replace("1.0", "NaN"), "{"]:
        path.write_text(text, "utf-8")
        with pytest.raises(RankingError, match="fit the ranking again"):
            Ranking.load(path, FEATURES)
    with pytest.raises(ValueError, match="right candidate"):
        Ranking.fit([(np.zeros((1, len(FEATURES))), 0), (np.zeros((3, len(FEATURES))), None)])


def test_features_of_a_candidate() -> None:
    (row,) = features("法国的货币是什么", [("法国", "货币", "")], [-2.0], [5])
    found = dict(zip(FEATURES, row, strict=True))
    assert found["named"] and found["predicate_named"] and not found["meant"]
    assert found["name_length"] == 2 and found["predicate_likeness"] == pytest.approx(2**0.5)
    (row,) = features("法国兰的货币是什么", [("法兰国", "货币", "")], [-2.0], [5])
    found = dict(zip(FEATURES, row, strict=True))
    assert not found["named"] and found["near"] and found["name_length"] == 3 and found["predicate_named"]
    assert misspelt_span("货币", "货的币") == "" and misspelt_span("法兰西", "在法西的") == "法西"
    assert features("q", [], [], []).shape == (0, len(FEATURES))


def test_calibration_finds_what_the_model_does_not_and_withholds_what_the_index_lacks(tmp_path: Path) -> None:
    family = causal("gemma3")
    model, codec = family.key_model, family.key_model.codec
    rng = random.Random(1)
    names = ["".join(rng.sample("abcdefgh", 4)) for _ in range(80)]
    facts = [(name, predicate, "") for name in names for predicate in ("xy", "uv", "st")]
    records = Records([(name, predicate, "value") for name, predicate, _ in facts])
    triples = KeyFormat.triples((codec.separator,))
    build(tmp_path / "index", [records], triples, lambda texts: [*map(encode, texts)], tokenizer="letters")
    index = OverlayView.of(CompiledIndex.open(tmp_path / "index"))
    examples = [Example(f"{fact[0]} m {fact[1]}", Fact(*fact, "value")) for fact in rng.sample(facts, 60)]
    assert len(without(index, model, {examples[0].fact.name})) == len(index) - 3

    options = SearchOptions(n=1, beams=3)
    plain = search(index, model, [example.question for example in examples[:20]], options)
    assert sum(is_right(model, *pair) for pair in zip(examples, plain, strict=False)) < 10  # the weights are random
    done: list[int] = []
    found = calibrate(model, index, examples[20:], options, on_done=done.append)
    assert done == sorted(done) and done[-1] == searches(examples[20:]) == 40 + 10 + 20
    assert found.right == found.reachable == 1 and found.withheld > 0.9 and found.refused <= 0.05
    answers = search(index, model, [e.question for e in examples[:20]], replace(options, ranking=found.ranking))
    assert all(is_right(model, *pair) for pair in zip(examples, answers, strict=False))
