"""Look-ahead, the cap of exact mode, and options."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.retrieval.metrics import lcs
from models.retrieval.search.look_ahead import LookAhead
from models.retrieval.search.options import SearchOptions
from models.retrieval.search.search import search
from models.retrieval.search.stem import Choice, Walker
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.families import END, Family, causal, decode


@pytest.fixture(scope="module")
def family() -> Family:
    return causal("llama")


@given(keys=st.lists(st.text("abc", min_size=2, max_size=4), min_size=2, max_size=6, unique=True), q=st.text("abc"))
def test_cover_is_that_of_the_best_completion(family: Family, keys: list[str], q: str) -> None:
    codec = family.key_model.codec
    index = DictIndex([codec.key([key, "p"]) for key in keys])
    walker = Walker(index, family.key_model.read([q]), END, raw=False)
    (stem,) = walker.follow([Choice(0, None)])
    prior = LookAhead(index, codec, q, weight=2.0, most=10)(stem)
    begun = decode(stem.tokens)
    cover = []
    for token in stem.tokens_next.tolist():
        # The root's run may have gone past a shorter name; only what goes on with this part counts.
        names = [begun] if token == codec.separator else [k for k in keys if k.startswith(begun + decode([token]))]
        part = [name.split("|")[-1] for name in names] or [""]
        cover.append(max(lcs(name, q) / len(name) ** 0.5 if name else 0.0 for name in part))
    np.testing.assert_allclose(prior, 2.0 * (np.array(cover) - max(cover)), atol=1e-12)


def test_look_ahead_turns_a_search_to_what_the_question_says(family: Family) -> None:
    codec = family.key_model.codec
    names = ["abcab", "bcabc", "cabca"]
    index = DictIndex([codec.key([name, "p"]) for name in names])
    for name in names:
        options = SearchOptions(n=1, beams=1, look_ahead=1000.0)
        (answer,) = search(index, family.key_model, [f"{name}p"], options)
        assert codec.parts(answer.found[0].tokens)[0] == name


def test_a_cap_on_expansions_is_told(family: Family) -> None:
    rng = np.random.default_rng(0)
    index = DictIndex(rng.integers(5, 9, (60, 5)).tolist())
    (capped,) = search(index, family.key_model, ["a"], SearchOptions(n=60, mode="exact", most_expansions=10))
    assert not capped.proven and capped.expansions <= 10 and len(capped.found) < len(index)
    (whole,) = search(index, family.key_model, ["a"], SearchOptions(n=1000, mode="exact"))
    assert whole.proven and len(whole.found) == len(index)


def test_an_index_without_keys_gives_nothing(family: Family) -> None:
    (answer,) = search(DictIndex([]), family.key_model, ["a"], SearchOptions())
    assert answer.found == ()


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"n": 0}, "at least 1"),
        ({"n": 4, "beams": 3}, "4 keys"),
        ({"mode": "greedy"}, "mode"),
        ({"score": "both"}, "score"),
        ({"look_ahead": -1.0}, "look_ahead"),
        ({"mode": "exact", "look_ahead": 1.0}, "no bound"),
        ({"mode": "exact", "length_penalty": 1.0}, "no bound"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        SearchOptions(**options)


def test_a_question_too_long_is_refused(family: Family) -> None:
    with pytest.raises(ValueError, match="shorten it"):
        search(DictIndex([(5,)]), family.key_model, ["a" * 600], SearchOptions(n=1))
