"""Every index against brute force."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.retrieval.index import nodes as node_numbers
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.live import LiveIndex
from models.retrieval.index.ragged import Ragged
from models.retrieval.index.sorting import combine, ranks
from tests.models.retrieval.reference import PLAIN, TRIPLE, Model, assert_same, built, key_of, model_of
from tests.models.retrieval.strategies import FORMATS, VALUES, record_lists


@pytest.mark.parametrize("key_format", FORMATS, ids=lambda one: one.parts[0])
@settings(max_examples=50)
@given(data=st.data())
def test_a_compiled_index_is_the_prefix_tree_of_its_keys(key_format: KeyFormat, data: st.DataObject) -> None:
    records = data.draw(record_lists(key_format))
    with tempfile.TemporaryDirectory() as folder:
        index = built(Path(folder) / "index", records, key_format)
        model = model_of(records, key_format)
        assert_same(index, model)
        assert [index.key(number) for number in range(len(index))] == sorted(model), "numbers follow the order of keys"
        assert index.manifest.counts["values"] == sum(map(len, model.values()))
        assert index.manifest.report["duplicates"] == len(records) - sum(map(len, model.values()))


@settings(max_examples=40)
@given(data=st.data())
def test_a_beam_of_wide_and_narrow_nodes_is_answered_as_each_by_itself(data: st.DataObject) -> None:
    records = data.draw(record_lists(TRIPLE))
    with tempfile.TemporaryDirectory() as folder:
        index = built(Path(folder) / "index", records, TRIPLE)
        known, level = [0], np.array([0])
        while len(level):
            level = index.allowed(level).children
            known += level.tolist()
        beam = np.array(data.draw(st.lists(st.sampled_from(known), max_size=30)), np.int64)
        together = index.allowed(beam)
        first, last = index.span(beam)
        for at, node in enumerate(beam):
            alone = index.allowed(np.array([node]))
            piece = together.span(at)
            assert together.tokens[piece].tolist() == alone.tokens.tolist()
            assert together.children[piece].tolist() == alone.children.tolist()
            assert together.final[at] == alone.final[0]
            assert [first[at : at + 1], last[at : at + 1]] == list(index.span(np.array([node])))
            below = index.span(alone.children)
            assert int((below[1] - below[0]).sum()) + alone.final[0] == last[at] - first[at]


def test_the_examples_have_wide_and_narrow_nodes(tmp_path: Path) -> None:
    random_records = record_lists(TRIPLE)
    kinds: set[bool] = set()

    @settings(max_examples=20, database=None)
    @given(random_records)
    def look(records: list[tuple[str, ...]]) -> None:
        with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
            index = built(Path(folder) / "index", records, TRIPLE)
            level = np.array([0])
            while len(level := index.allowed(level).children):
                kinds.update((level >= node_numbers.NARROW_BIT).tolist())

    look()
    assert kinds == {True, False}


@pytest.mark.parametrize("key_format", [PLAIN, TRIPLE], ids=lambda one: one.parts[0])
@settings(max_examples=50)
@given(data=st.data())
def test_changes_are_seen_at_once_kept_and_merged(key_format: KeyFormat, data: st.DataObject) -> None:
    records = data.draw(record_lists(key_format))
    model = model_of(records, key_format)
    pool = sorted(set(model) | {key_of(record[:-1], key_format) for record in data.draw(record_lists(key_format))})
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "0"
        built(folder, records, key_format)
        live = LiveIndex.open(folder)
        old = (live.view, dict(model))
        for step in range(data.draw(st.integers(0, 6)) if pool else 0):
            keys = data.draw(st.lists(st.sampled_from(pool), min_size=1, max_size=8))
            if data.draw(st.booleans()):
                keys = sorted({key for key in pool if key[0] == keys[0][0]})
            values = data.draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=3))
            kind = data.draw(st.sampled_from(["add", "remove", "remove some", "reopen", "merge"]))
            if kind == "add":
                live.update(added=[(key, values) for key in keys])
                _add(model, keys, values)
            elif kind == "remove":
                live.update(removed=[(key, None) for key in keys])
                for key in keys:
                    model.pop(key, None)
            elif kind == "remove some":
                live.update(removed=[(key, values) for key in keys])
                _remove(model, keys, values)
            else:
                if kind == "merge":
                    folder = Path(scratch) / f"merged-{step}"
                    live.merge(folder)
                    assert not list(folder.glob("changes.log"))
                live = LiveIndex.open(folder)
            assert_same(live.view, model)
            if not step % 2:
                assert_same(*old)
                old = (live.view, dict(model))


def test_a_view_stays_as_it_was_when_a_key_changes_together_with_longer_ones(tmp_path: Path) -> None:
    short, long = (key_of((name,), PLAIN) for name in ("a", "ab"))
    built(tmp_path / "index", [("z", "v")], PLAIN)
    live = LiveIndex.open(tmp_path / "index")
    live.update(added=[(short, ["x"]), (long, ["x"])])
    before = live.view
    live.update(added=[(short, ["y"]), (long, ["y"])])
    assert_same(before, {key_of(("z",), PLAIN): ["v"], short: ["x"], long: ["x"]})
    assert_same(live.view, {key_of(("z",), PLAIN): ["v"], short: ["x", "y"], long: ["x", "y"]})


def _add(model: Model, keys: list[tuple[int, ...]], values: list[str]) -> None:
    for key in keys:
        model[key] = list(dict.fromkeys([*model.get(key, []), *values]))


def _remove(model: Model, keys: list[tuple[int, ...]], values: list[str]) -> None:
    for key in keys:
        left = [value for value in model.pop(key, []) if value not in values]
        if left:
            model[key] = left


@settings(max_examples=200)
@given(
    st.lists(st.lists(st.sampled_from([0, 1, 2, 4, 5, 2**20, 2**32 - 2]), max_size=9), max_size=40),
    st.sampled_from([-1, 3]),
)
def test_ranks_are_the_places_in_the_sorted_set(sequences: list[list[int]], end: int) -> None:
    closed = [(*sequence, end) for sequence in sequences]
    places = {sequence: place for place, sequence in enumerate(sorted(set(closed)))}
    assert ranks(Ragged.of(sequences), end).tolist() == [places[sequence] for sequence in closed]


@given(st.lists(st.tuples(*[st.sampled_from([0, 1, 7, 2**31 - 1, 2**40])] * 3), min_size=1, max_size=40))
def test_combined_columns_order_rows_as_tuples(rows: list[tuple[int, int, int]]) -> None:
    code = combine([np.array(column, np.int64) for column in zip(*rows, strict=True)])
    for one, other in zip(range(len(rows)), np.roll(np.arange(len(rows)), 1), strict=True):
        assert (code[one] < code[other]) == (rows[one] < rows[other])
        assert (code[one] == code[other]) == (rows[one] == rows[other])


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2**32 - 40), st.integers(1, 40), st.integers(0, 60_000))))
def test_node_numbers_can_be_unpacked(fields: list[tuple[int, int, int, int]]) -> None:
    column, first, width, depth = np.array(fields, np.int64).reshape(-1, 4).T
    packed = node_numbers.Nodes(column, first, first + width, depth).pack()
    assert (packed >= node_numbers.NARROW_BIT).all()
    back = node_numbers.Nodes.unpack(packed)
    assert np.array([back.column, back.first, back.last - back.first, back.depth]).T.tolist() == list(map(list, fields))


@settings(max_examples=20)
@given(data=st.data())
def test_a_beam_of_equal_nodes_is_answered_once_and_as_each_by_itself(data: st.DataObject) -> None:
    records = data.draw(record_lists(TRIPLE))
    added = data.draw(record_lists(TRIPLE))
    with tempfile.TemporaryDirectory() as folder:
        built(Path(folder) / "index", records, TRIPLE)
        live = LiveIndex.open(Path(folder) / "index")
        live.update([(key_of(fields, TRIPLE), [value]) for *fields, value in added[:20]])
        live.update(removed=[(key_of(fields, TRIPLE), None) for *fields, _ in records[:20]])
        view = live.view
        known, level = [view.root], np.array([view.root])
        while len(level):
            level = view.allowed(level).children
            known += level.tolist()
        beam = np.array(data.draw(st.lists(st.sampled_from(known[:8]), min_size=1, max_size=30)), np.int64)
        together = view.allowed(beam)
        alone = [view.allowed(np.array([node])) for node in beam]
        for at, one in enumerate(alone):
            piece = together.span(at)
            assert together.tokens[piece].tolist() == one.tokens.tolist()
            assert together.children[piece].tolist() == one.children.tolist()
            assert together.final[at] == one.final[0]
        if (beam < node_numbers.NARROW_BIT).all():
            distinct = {node: len(one.tokens) for node, one in zip(beam.tolist(), alone, strict=True)}
            assert len(together.tokens) == sum(distinct.values())
