"""Explanations of found keys: they add up to the scores, cost no forward and change no answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.retrieval.index.building import build
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.live import LiveIndex
from models.retrieval.index.sources import Records
from models.retrieval.prefix_index import PrefixIndex
from models.retrieval.ranking.logit import FEATURES, Ranking
from models.retrieval.ranking.noisy_channel import FEATURES as CHANNEL_FEATURES
from models.retrieval.ranking.noisy_channel import NoisyChannel, doubtful
from models.retrieval.search.mentions import place_of, spans_of
from models.retrieval.search.options import Answer, Found, SearchOptions
from models.retrieval.search.search import search
from models.retrieval.writers.base import Extended, Extension, KeyModel, Session
from models.retrieval.writers.codec import KeyCodec
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.families import END, Family, causal, decode, encode, encoder_decoder
from tests.models.retrieval.search.test_search import KEYS, QUESTION

FAMILIES: dict[str, Any] = {"gemma3": lambda: causal("gemma3"), "t5": lambda: encoder_decoder("t5")}
MODES = {
    "beam": SearchOptions(n=2, beams=3),
    "a wide beam by raw scores": SearchOptions(n=3, beams=5, score="raw", length_penalty=1.0),
    "look-ahead": SearchOptions(n=2, beams=2, look_ahead=1.0, with_raw=True),
    "exact": SearchOptions(n=2, mode="exact"),
    "exact by raw scores": SearchOptions(n=3, mode="exact", score="raw"),
    "exact, unproven": SearchOptions(n=3, mode="exact", most_expansions=4),
}


@pytest.fixture(params=list(FAMILIES), scope="module")
def family(request: pytest.FixtureRequest) -> Family:
    made: Family = FAMILIES[request.param]()
    return made


@dataclass(eq=False)
class Counting:
    """A model that counts the hypotheses that it was given."""

    model: KeyModel
    extensions: list[int] = field(default_factory=list)

    @property
    def codec(self) -> KeyCodec:
        return self.model.codec

    def read(self, questions: Sequence[str]) -> Session:
        return CountingSession(self.model.read(questions), self.extensions)


@dataclass(eq=False)
class CountingSession:
    """One session of it."""

    session: Session
    extensions: list[int]

    def extend(self, extensions: Sequence[Extension], *, raw: bool) -> list[Extended]:
        self.extensions.append(len(extensions))
        return self.session.extend(extensions, raw=raw)


def both(index: PrefixIndex, model: KeyModel, question: str, options: SearchOptions) -> Answer:
    """The explained answer, which is the plain one with explanations, by the same forwards."""
    counts = []
    answers = []
    for explain in (False, True):
        counting = Counting(model)
        answers += search(index, counting, [question], replace(options, explain=explain))
        counts.append(counting.extensions)
    plain, explained = answers
    assert counts[0] == counts[1]
    assert all(found.explanation is None for found in plain.found) and plain.others == ()
    assert replace(explained, found=bare(explained.found), others=()) == plain
    return explained


def bare(found: Sequence[Found]) -> tuple[Found, ...]:
    return tuple(replace(one, explanation=None) for one in found)


def assert_steps_add_up(found: Found, index: DictIndex, *, raw: bool) -> None:
    why, key = found.explanation, (*found.tokens, END)
    assert why is not None and tuple(step.token for step in why.steps) == key
    allowed = [len(index.next_tokens(key[:at], END)) for at in range(len(key))]
    assert [step.allowed for step in why.steps] == allowed
    assert [step.renormalised == 0 for step in why.steps if step.allowed == 1] == [True] * allowed.count(1)
    assert sum(step.renormalised for step in why.steps) == pytest.approx(found.renormalised, abs=1e-9)
    if raw:
        assert sum(step.raw or 0 for step in why.steps) == pytest.approx(found.raw, abs=1e-9)
    else:
        assert all(step.raw is None for step in why.steps)


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=25)
@given(keys=KEYS, question=QUESTION)
def test_tokens_add_up_to_the_scores_in_every_mode(
    family: Family, mode: str, keys: list[tuple[int, ...]], question: str
) -> None:
    index, options = DictIndex(keys), MODES[mode]
    answer = both(index, family.key_model, question, options)
    assert len(answer.found) + len(answer.others) <= len(index)
    ranks = [found.rank_score for found in answer.found + answer.others]
    assert ranks == sorted(ranks, reverse=True)
    for found in answer.found + answer.others:
        assert_steps_add_up(found, index, raw=options.raw)
        why = found.explanation
        assert why is not None and (why.source, why.mention, why.order, why.terms) == (options.mode, None, "model", ())


def ranking(names: tuple[str, ...], seed: int = 0) -> Ranking:
    """An order with a weight for everything."""
    rng = np.random.default_rng(seed)
    mean, scale, weights = rng.normal(size=len(names)), rng.uniform(1, 2, len(names)), rng.normal(size=len(names))
    return Ranking(names, *(tuple(row.tolist()) for row in (mean, scale, weights)))


FACTS = st.lists(
    st.tuples(
        st.text("abc", min_size=1, max_size=4),
        st.text("abcxy", min_size=1, max_size=4),
        st.text("xy", max_size=1),
    ),
    min_size=1,
)


@settings(max_examples=25)
@given(facts=FACTS, question=st.text("abcxy", min_size=1, max_size=6), beams=st.integers(1, 3))
def test_features_add_up_to_the_score_before_it_is_normalised(
    family: Family, facts: list[tuple[str, str, str]], question: str, beams: int
) -> None:
    index = DictIndex(family.key_model.codec.key(fact) for fact in facts)
    options = SearchOptions(n=2, beams=beams, ranking=ranking(FEATURES))
    answer = both(index, family.key_model, question, options)
    found = answer.found + answer.others
    beam = search(index, family.key_model, [question], SearchOptions(n=beams, beams=beams))[0].found
    scores = np.array([assert_terms_of(one, FEATURES, ranking(FEATURES)) for one in found])
    np.testing.assert_allclose([one.rank_score for one in found], scores - np.logaddexp.reduce(scores), atol=1e-9)
    for one in found:
        assert_steps_add_up(one, index, raw=False)
        why = one.explanation
        assert why is not None and (why.source == "beam") == (one.tokens in [each.tokens for each in beam])
        name, *_ = family.key_model.codec.parts(one.tokens)
        assert (why.mention is None) or (why.mention.span == name and not why.mention.misspelt)
        assert why.source == "beam" or (why.mention is not None and why.source == "name")


def assert_terms_of(found: Found, names: tuple[str, ...], order: Ranking) -> float:
    """The sum of a key's contributions, each of which is what it says."""
    assert found.explanation is not None
    rows = found.explanation.terms
    assert sorted(term.name for term in rows) == sorted(names)
    assert [abs(term.contribution) for term in rows] == sorted((abs(term.contribution) for term in rows), reverse=True)
    for term in rows:
        at = names.index(term.name)
        assert term.weight == order.weights[at]
        assert term.contribution == pytest.approx(term.weight * (term.value - order.mean[at]) / order.scale[at])
    return sum(term.contribution for term in rows)


@dataclass(frozen=True)
class ByLength:
    """A likelihood of questions that prefers long predicates."""

    def log_likelihoods(self, question: str, keys: Sequence[Sequence[str]]) -> NDArray[np.float64]:
        return np.array([float(len(key[1])) for key in keys])


TOWN = [(name, predicate, "v") for name in ("abcd", "abce", "hgfe") for predicate in ("xy", "xyx", "uv")]


def town(family: Family, tmp_path: Path) -> LiveIndex:
    """Names one letter apart, with a table of misspelt ones."""
    triples = KeyFormat.triples((family.key_model.codec.separator,))
    build(
        tmp_path / "index",
        [Records(TOWN)],
        triples,
        lambda texts: [*map(encode, texts)],
        tokenizer="letters",
        decode=lambda batch: [*map(decode, batch)],
    )
    return LiveIndex.open(tmp_path / "index")


def test_doubtful_keys_are_explained_by_the_noisy_channel(family: Family, tmp_path: Path) -> None:
    index, first, second = town(family, tmp_path).view, ranking(FEATURES), ranking(CHANNEL_FEATURES, 1)
    options = SearchOptions(n=2, beams=3, ranking=first, noisy_channel=NoisyChannel(ByLength(), second))
    answer = both(index, family.key_model, "abcd xy", options)
    found = answer.found + answer.others
    ranked = search(index, family.key_model, ["abcd xy"], replace(options, n=100, noisy_channel=None))[0].found
    kept = [ranked[i].tokens for i in doubtful(np.array([one.rank_score for one in ranked]))]
    assert {one.tokens for one in ranked} == {one.tokens for one in found} and len(kept) > 1
    doubted = [one for one in found if one.explanation is not None and one.explanation.order == "second"]
    assert {one.tokens for one in doubted} == set(kept)
    scores = np.array([assert_terms_of(one, CHANNEL_FEATURES, second) for one in doubted])
    logs = np.array([one.rank_score for one in doubted])
    np.testing.assert_allclose(logs - np.logaddexp.reduce(logs), scores - np.logaddexp.reduce(scores), atol=1e-9)
    for one in found:
        if one not in doubted:
            assert one.explanation is not None and one.explanation.order == "first"
            assert_terms_of(one, FEATURES, first)


def test_a_misspelt_subject_is_told_where_it_stands_in_a_changed_index(family: Family, tmp_path: Path) -> None:
    live, codec = town(family, tmp_path), family.key_model.codec
    live.update(added=[(codec.key(["mnop", "xy", ""]), ["v"])], removed=[(codec.key(["hgfe", "xy", ""]), None)])
    options = SearchOptions(n=30, beams=1, ranking=Ranking.of_model())
    question = "xy mnpo abcd hgf"
    answer = both(live.view, family.key_model, question, options)
    mentions: dict[str, set[tuple[str, str, bool]]] = {}
    for one in answer.found:
        name, predicate, _ = codec.parts(one.tokens)
        why = one.explanation
        assert why is not None and (name, predicate) != ("hgfe", "xy")
        if why.mention is not None:
            mentions.setdefault(name, set()).add((why.mention.span, why.source, why.mention.misspelt))
    kinds = {name: {(span, wrong) for span, _, wrong in each} for name, each in mentions.items()}
    assert kinds == {"abcd": {("abcd", False)}, "mnop": {("mnpo", True)}, "hgfe": {("hgf", True)}}
    assert all(source in ("beam", "name", "misspelt") for each in mentions.values() for _, source, _ in each)
    assert {source for each in mentions.values() for _, source, _ in each} >= {"name", "misspelt"}


@given(st.text("ab 天", min_size=1, max_size=12))
def test_a_span_stands_first_where_no_word_is_cut(text: str) -> None:
    for span in spans_of(text):
        (before, after) = (
            "(?<![0-9A-Za-z])" if span[0].isascii() else "",
            "(?![0-9A-Za-z])" if span[-1].isascii() else "",
        )
        found = re.search(before + re.escape(span) + after, text)
        assert found is not None and place_of(span, text) == found.start()


def test_a_span_does_not_stand_within_a_word() -> None:
    assert place_of("cat", "concat cat") == 7
