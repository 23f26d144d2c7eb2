"""The index of a passage's spans against the plainest one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from models.retrieval.reading.span_index import SpanIndex
from models.retrieval.reading.spans import Span, key_text, spans_of
from models.retrieval.subtree import below
from tests.models.retrieval.dict_index import DictIndex
from tests.models.retrieval.reading.passages import PASSAGES

END = 10


def encode(texts: list[str]) -> list[list[int]]:
    """Characters in pairs where they can be, so that a prefix of a text has other tokens than the text."""
    return [[sum(map(ord, text[at : at + 2])) for at in range(0, len(text), 2)] for text in texts]


@given(passage=PASSAGES)
def test_it_holds_every_span_and_nothing_else(passage: str) -> None:
    spans = list(spans_of(passage, 8))
    index = SpanIndex.of(passage, spans, encode, END)
    keys = [tuple(tokens) for tokens in encode([key_text(passage[a:b]) for a, b in spans])]
    plain = DictIndex(key for key in keys if END not in key)
    assert index.keys == plain.keys
    if plain.keys:
        assert below(index, [index.root], 10**6) == below(plain, [plain.root], 10**6)
    kept = [span for span, key in zip(spans, keys, strict=True) if END not in key]
    assert sorted(span for its in index.occurrences for span in its) == sorted(kept)
    for number, key in enumerate(index.keys):
        assert index.find(key) == number and index.key(number) == key
        assert set(index.values(number)) == {passage[a:b] for a, b in index.occurrences[number]}
    assert index.find((END,)) is None


def test_the_answer_for_none_is_a_key_without_places() -> None:
    passage = "ab cd — ef"
    index = SpanIndex.of(passage, spans_of(passage), encode, END, "—")
    assert index.none is not None and index.key(index.none) == (ord("—"),) and not index.occurrences[index.none]
    assert SpanIndex.of(passage, spans_of(passage), encode, END).none is None


@given(keys=st.sets(st.lists(st.integers(0, 3), min_size=1, max_size=4).map(tuple), min_size=1))
def test_nodes_may_be_asked_in_any_order(keys: set[tuple[int, ...]]) -> None:
    index, plain = SpanIndex({key: [Span(0, 1)] for key in keys}, "x"), DictIndex(keys)
    waiting = [(index.root, plain.root)]
    while waiting:
        mine, other = waiting.pop()
        a, b = index.allowed(np.array([mine, index.root])), plain.allowed(np.array([other, plain.root]))
        assert a.tokens.tolist() == b.tokens.tolist() and a.final.tolist() == b.final.tolist()
        assert a.counts.tolist() == b.counts.tolist()
        waiting += zip(a.children[a.span(0)].tolist(), b.children[b.span(0)].tolist(), strict=True)
