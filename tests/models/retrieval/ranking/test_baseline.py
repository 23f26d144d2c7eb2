"""The baseline of an index is that of its facts."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from models.retrieval.fact import Fact
from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.sources import Records
from models.retrieval.ranking.baseline import Baseline, likeness
from models.retrieval.subtree import below, nodes_of
from tests.models.retrieval.fact_baseline import FactBaseline

NAMES = st.text("abc", min_size=1, max_size=3)
FACTS = st.lists(st.tuples(NAMES, st.text("abcxy", min_size=1, max_size=4)), min_size=1, max_size=12, unique=True)
FORMAT = KeyFormat.triples((10,))


def encode(texts: list[str]) -> list[list[int]]:
    return [[ord(letter) for letter in text] for text in texts]


def decode(tokens: object) -> str:
    return "".join(map(chr, tokens))  # type: ignore[call-overload]


def opened(folder: Path, facts: list[tuple[str, str]]) -> CompiledIndex:
    records = Records([(subject, predicate, "value") for subject, predicate in facts])
    build(folder, [records], FORMAT, encode, tokenizer="letters")
    return CompiledIndex.open(folder)


@settings(max_examples=60)
@given(facts=FACTS, question=st.text("abcxyz", max_size=8))
def test_it_answers_as_the_facts_would(facts: list[tuple[str, str]], question: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        key = Baseline(opened(Path(folder) / "index", facts), FORMAT, encode, decode).answer(question)
    truth = FactBaseline([Fact(subject, predicate, "", "value") for subject, predicate in facts]).answer(question)
    if truth is None or key is None:
        assert truth is key
        return
    subject, predicate, meaning = map(decode, FORMAT.split(key))
    assert (subject, predicate) in facts and meaning == ""
    assert subject == truth.name
    assert likeness(predicate, question) == likeness(truth.predicate, question)


@settings(max_examples=30)
@given(facts=FACTS, prefixes=st.lists(st.text("abcxy\n", max_size=5), max_size=6))
def test_nodes_and_keys_below_them(facts: list[tuple[str, str]], prefixes: list[str]) -> None:
    keys = {f"{subject}\n{predicate}\n" for subject, predicate in facts}
    with tempfile.TemporaryDirectory() as folder:
        index = opened(Path(folder) / "index", facts)
        for prefix, node in zip(prefixes, nodes_of(index, encode(prefixes)), strict=True):
            due = sorted(key for key in keys if key.startswith(prefix))
            assert (node is not None) == bool(due)
            if node is not None:
                assert [prefix + decode(rest) for rest in below(index, [node], 100)[0]] == due
                assert len(below(index, [node], 1)[0]) == 1
