"""Misspelt names are found by their neighbours."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.retrieval.search.options import SearchOptions
from models.retrieval.search.search import search
from models.retrieval.spelling import SHORTEST, SpellingIndex, one_error, search_misspelt
from models.retrieval.training.misspelling import misspell
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.families import causal

WORD = st.text("abcd", min_size=1, max_size=6)


def _errors(word: str, letters: str) -> set[str]:
    """Every text one error away, written out."""
    cuts = [(word[:i], word[i:]) for i in range(len(word) + 1)]
    replaced = {a + c + b[1:] for a, b in cuts if b for c in letters}
    inserted = {a + c + b for a, b in cuts for c in letters}
    left_out = {a + b[1:] for a, b in cuts if b}
    swapped = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    return (replaced | inserted | left_out | swapped) - {word}


@given(WORD, WORD)
def test_one_error_is_what_it_says(a: str, b: str) -> None:
    assert one_error(a, b) == (b in _errors(a, "abcd"))


@given(st.lists(WORD.filter(lambda word: len(word) >= SHORTEST), min_size=1, max_size=8, unique=True), st.data())
def test_every_name_one_error_away_is_proposed(names: list[str], data: st.DataObject) -> None:
    index = SpellingIndex.build(names, names.__getitem__)
    name = data.draw(st.sampled_from(names))
    wrong = misspell(name, "abcd", np.random.default_rng(data.draw(st.integers(0, 99))))
    question = f"xx{wrong}yy"
    found = index.corrections(question, 10_000)
    if wrong not in names:
        assert f"xx{name}yy" in found
    for text in found:
        assert any(other in text for other in names)
    lengths = [len(text) for text in found]
    assert len(set(found)) == len(found) and max(lengths, default=0) <= len(question) + 1


def test_a_misspelt_question_is_answered_as_the_right_one_when_that_ranks_higher() -> None:
    family = causal("llama")
    codec = family.key_model.codec
    names = ["abcde", "fghij", "klmno"]
    index = DictIndex([codec.key([name, "p"]) for name in names])
    spelling = SpellingIndex.build(names, names.__getitem__)
    options = SearchOptions(n=1, beams=3)
    (plain,) = search(index, family.key_model, ["abxdep"], options)
    (corrected,) = search(index, family.key_model, ["abcdep"], options)
    (found,) = search_misspelt(index, family.key_model, ["abxdep"], options, spelling)
    best = max(plain.found[0], corrected.found[0], key=lambda one: one.rank_score)
    assert found.found[0].tokens == best.tokens
