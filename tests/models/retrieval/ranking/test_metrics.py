"""Metrics, the baseline, facts, keys and confidence."""

from __future__ import annotations

import gzip
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.retrieval.examples import read_examples
from models.retrieval.fact import Fact
from models.retrieval.metrics import exact_match, f1, lcs, marks
from models.retrieval.search.confidence import Confidence, ConfidenceError
from models.retrieval.search.confidence_features import FEATURES, MAX_MARGIN, confidence_features
from models.retrieval.search.options import SearchOptions
from models.retrieval.search.search import search
from models.retrieval.writers.codec import KeyCodec
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.fact_baseline import FactBaseline
from tests.models.retrieval.families import END, causal, decode, encode

DATA = Path(__file__).parents[5] / "shared" / "data" / "kgclue"


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_lcs_equals_the_recursion(a: str, b: str) -> None:
    @cache
    def longest(i: int, j: int) -> int:
        if not i or not j:
            return 0
        if a[i - 1] == b[j - 1]:
            return longest(i - 1, j - 1) + 1
        return max(longest(i - 1, j), longest(i, j - 1))

    assert lcs(a, b) == longest(len(a), len(b))


def test_metrics_by_hand() -> None:
    assert exact_match(" A  b", "a B") == 1.0
    assert f1("abcd", "bd") == pytest.approx(2 * 2 / 6)
    assert f1("", "") == 1.0
    found = marks([("s", "p", "abcd"), ("s", "p", "o")], [("s", "q", "bd"), None])
    assert found.exact == {"S": 0.5, "P": 0.0, "O": 0.0, "SP": 0.0}
    assert found.f1["O"] == pytest.approx(1 / 3)
    assert found.score == pytest.approx(1 / 6)
    with pytest.raises(ValueError, match="at least one"):
        marks([], [])


def test_the_baseline_takes_the_longest_name_and_the_likest_predicate() -> None:
    facts = [("龙晶", "简介", "x"), ("龙晶游戏", "发行商", "y"), ("龙晶游戏", "发行时间", "z")]
    baseline = FactBaseline([Fact.of(*fact) for fact in facts])
    answer = baseline.answer("龙晶游戏在什么时间发行？发行时间是？")
    assert answer is not None and answer.object == "z"
    assert baseline.answer("别的") is None


@pytest.mark.skipif(not DATA.exists(), reason="the measuring data ../shared/data is not here")
def test_the_baseline_on_kgclue_is_the_known_one() -> None:
    with gzip.open(DATA / "kb_typed.tsv.gz", "rt", encoding="utf-8") as file:
        baseline = FactBaseline(Fact.of(*line.rstrip("\n").split("\t")) for line in file)
    examples = read_examples(DATA / "test_a.jsonl")
    truths = [(example.fact.subject, example.fact.predicate, example.fact.object) for example in examples]
    answers = [
        None if fact is None else (fact.subject, fact.predicate, fact.object)
        for fact in (baseline.answer(example.question) for example in examples)
    ]
    assert marks(truths, answers).exact["SP"] == pytest.approx(0.843, abs=0.004)


@given(st.lists(st.text("abc", min_size=1), min_size=1, max_size=2), st.text("abc"))
def test_keys_and_parts_are_inverse(parts: list[str], last: str) -> None:
    codec = KeyCodec.prefix_lm(encode, decode, 2, END)
    assert codec.parts((*codec.key([*parts, last]), END)) == (*parts, last)


@pytest.mark.parametrize("parts", [[], [""], ["", "a"], ["a", "", "b"], ["a\nb", "c"]])
def test_parts_that_would_blur_a_key_are_refused(parts: list[str]) -> None:
    with pytest.raises(ValueError, match="part"):
        KeyCodec.prefix_lm(encode, decode, 2, END).key(parts)


def test_fit_and_calibration(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(4000, len(FEATURES)))
    true = np.array([1.5, -1.0, 0.5, *[0.0] * (len(FEATURES) - 3)])
    p = 1 / (1 + np.exp(-(features @ true + 0.3)))
    right = rng.random(4000) < p
    fitted = Confidence.fit(features, right, np.ones(4000, bool), refused=0.1)
    given = fitted.of(features)
    assert np.abs(given - p).mean() < 0.03
    assert (given < fitted.threshold).mean() == pytest.approx(0.1, abs=0.002)
    fitted.save(tmp_path / "confidence.json")
    assert Confidence.load(tmp_path / "confidence.json", FEATURES) == fitted
    assert fitted.of(np.full((1, len(FEATURES)), np.nan)) == [0.0]
    record = json.loads((tmp_path / "confidence.json").read_text("utf-8")) | {"features": ["other"]}
    (tmp_path / "confidence.json").write_text(json.dumps(record), "utf-8")
    with pytest.raises(ConfidenceError, match="fit the confidence again"):
        Confidence.load(tmp_path / "confidence.json", FEATURES)
    with pytest.raises(ValueError, match="right and wrong"):
        Confidence.fit(features, np.ones(4000, bool), np.ones(4000, bool))


def test_confidence_features_of_a_search() -> None:
    family = causal("llama")
    keys = [tuple(family.key_model.codec.key(parts)) for parts in (["ab", "c"], ["ab", "d"])]
    index = DictIndex(keys)
    answers = search(index, family.key_model, ["abd", "x"], SearchOptions(n=2, beams=2))
    found = confidence_features(family.key_model, ["abd", "x"], answers)
    truth = family.truth("abd", index)
    best, second = (one.renormalised for one in answers[0].found)
    assert found[0, :2] == pytest.approx([best, best - second])
    assert found[0, FEATURES.index("cover")] == 1.0
    assert found[0, FEATURES.index("name")] > truth[answers[0].found[0].tokens][0], "a part is likelier than the whole"
    (alone,) = search(DictIndex(keys[:1]), family.key_model, ["abd"], SearchOptions(n=1))
    assert confidence_features(family.key_model, ["abd"], [alone])[0, 1] == MAX_MARGIN
