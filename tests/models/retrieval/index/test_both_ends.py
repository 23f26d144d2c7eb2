"""Triples found from either end."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.retrieval.index.both_ends import BothEnds
from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.sources import Records, Tabbed
from tests.models.retrieval.reference import PLAIN, TRIPLE, assert_same, encode, model_of
from tests.models.retrieval.strategies import record_lists


@settings(max_examples=30)
@given(data=st.data())
def test_each_triple_is_a_key_at_either_end(data: st.DataObject) -> None:
    records = data.draw(record_lists(TRIPLE))
    turned = [(o, f"^{p}", s) for s, p, o in records]
    expected = model_of([each for pair in zip(records, turned, strict=True) for each in pair], TRIPLE)
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "index", [BothEnds(Records(records))], TRIPLE, encode, tokenizer="code points")
        assert_same(CompiledIndex.open(Path(folder) / "index"), expected)


def test_values_of_both_directions_and_malformed_lines(tmp_path: Path) -> None:
    path = tmp_path / "facts.tsv"
    path.write_text("a\tp\tx\nno tabs\nb（m）\tp\tx\nx\t^p\ta\n", "utf-8")
    manifest = build(tmp_path / "index", [BothEnds(Tabbed(path))], TRIPLE, encode, tokenizer="code points")
    index = CompiledIndex.open(tmp_path / "index")
    values = {index.key(number): index.values(number) for number in range(len(index))}
    expected = {
        ("a", "p", ""): ["x"],
        ("b", "p", "m"): ["x"],
        ("x", "^p", ""): ["a", "b（m）"],
        ("a", "^^p", ""): ["x"],
    }
    assert values == {TRIPLE.join(encode(list(parts))): some for parts, some in expected.items()}
    assert manifest.report["lines"] == 4 and manifest.report["malformed"] == 1
    assert [each["line"] for each in manifest.report["examples"]] == [2]


def test_pairs_have_one_end(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="two ends"):
        build(tmp_path / "index", [BothEnds(Records([("a", "b")]))], PLAIN, encode, tokenizer="code points")
    assert not (tmp_path / "index").exists()
