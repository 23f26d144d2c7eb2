"""Named indexes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from models.retrieval.index.catalogue import Catalogue
from models.retrieval.index.errors import (
    CorruptIndexError,
    RetiredIndexError,
    RetrievalIndexError,
    UnknownIndexError,
)
from models.retrieval.index.live import LiveIndex
from models.retrieval.index.manifest import Manifest
from models.retrieval.index.nodes import WideNodes
from models.retrieval.index.sources import Records
from models.retrieval.index.spelling_table import SpellingTable
from models.retrieval.index.table import KeyTable
from models.retrieval.index.values import ValueTable
from models.retrieval.index.written import Written
from tests.models.retrieval.reference import PLAIN, assert_same, encode, key_of, model_of

ONE, OTHER = [("a", "1"), ("ab", "2")], [("b", "3")]
KEY = key_of(("a",), PLAIN)


def put(catalogue: Catalogue, name: str, records: list[tuple[str, str]]) -> None:
    catalogue.build(name, [Records(records)], PLAIN, encode, tokenizer="code points")


def test_indexes_are_listed_opened_replaced_unloaded_and_deleted(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path / "indexes")
    assert catalogue.names() == []
    put(catalogue, "one", ONE)
    put(catalogue, "other", OTHER)
    assert catalogue.names() == ["one", "other"]
    assert not catalogue.is_open("one")
    assert catalogue.manifest("one").counts["keys"] == 2
    held = catalogue.open("one")
    assert catalogue.open("one") is held
    assert catalogue.is_open("one") and not catalogue.is_open("other")
    view = held.view

    put(catalogue, "one", OTHER)
    assert_same(catalogue.open("one").view, model_of(OTHER, PLAIN))
    assert_same(view, model_of(ONE, PLAIN))
    with pytest.raises(RetiredIndexError):
        held.update(removed=[(KEY, None)])
    assert len(list((tmp_path / "indexes" / "one").iterdir())) == 2, "the build and the name of it"

    assert catalogue.unload("one") and not catalogue.unload("one")
    assert not catalogue.is_open("one")
    held = catalogue.open("other")
    catalogue.delete("other")
    assert_same(held.view, model_of(OTHER, PLAIN))
    assert catalogue.names() == ["one"]
    assert not [path for path in (tmp_path / "indexes").iterdir() if path.name.startswith(".deleted")]
    for call in (catalogue.open, catalogue.manifest, catalogue.delete, catalogue.merge):
        with pytest.raises(UnknownIndexError, match="no index 'other'"):
            call("other")


def test_another_process_replaces_and_deletes(tmp_path: Path) -> None:
    mine, theirs = Catalogue(tmp_path), Catalogue(tmp_path)
    put(theirs, "name", ONE)
    mine.open("name")
    put(theirs, "name", OTHER)
    assert_same(mine.open("name").view, model_of(OTHER, PLAIN))
    theirs.delete("name")
    with pytest.raises(UnknownIndexError):
        mine.open("name")


@pytest.mark.parametrize(("reader", "method"), [(Manifest, "read"), (LiveIndex, "open")])
def test_an_index_that_is_replaced_while_it_is_read(
    reader: type[Any], method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = Catalogue(tmp_path), Catalogue(tmp_path)
    put(theirs, "one", ONE)
    read, folders = getattr(reader, method), list[Path]()

    def reading(folder: Path, **options: Any) -> Any:
        folders.append(folder)
        if len(folders) == 1:
            put(theirs, "one", OTHER)
            (folder / "manifest.json").stat()  # as a file that is mapped a moment too late
        return read(folder, **options)

    monkeypatch.setattr(reader, method, reading)
    if reader is Manifest:
        assert mine.manifest("one").counts["keys"] == len(OTHER)
    else:
        assert_same(mine.open("one").view, model_of(OTHER, PLAIN))
    assert len(set(folders)) == 2


@pytest.mark.parametrize("deleted", [False, True], ids=["replaced", "deleted"])
@pytest.mark.parametrize("part", [KeyTable, WideNodes, ValueTable, SpellingTable, Written])
def test_an_index_that_goes_between_its_parts(
    part: type[Any], deleted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine, theirs = Catalogue(tmp_path), Catalogue(tmp_path)
    put(theirs, "one", ONE)
    load, calls = part.load, 0

    def loading(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            if deleted:
                theirs.delete("one")
            else:
                put(theirs, "one", OTHER)
        return load(*arguments)

    monkeypatch.setattr(part, "load", loading)
    if deleted:
        with pytest.raises(UnknownIndexError):
            mine.open("one")
    else:
        assert_same(mine.open("one").view, model_of(OTHER, PLAIN))
        assert calls == 2


def test_changes_outlive_unloading_and_merging_and_go_with_a_replacement(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path)
    put(catalogue, "name", ONE)
    catalogue.open("name").update(removed=[(KEY, None)], added=[(key_of(("c",), PLAIN), ["4"])])
    changed = model_of([ONE[1], ("c", "4")], PLAIN)
    catalogue.unload("name")
    assert_same(catalogue.open("name").view, changed)
    catalogue.merge("name")
    assert catalogue.open("name").log_bytes == 0
    assert_same(catalogue.open("name").view, changed)
    put(catalogue, "name", ONE)
    assert_same(catalogue.open("name").view, model_of(ONE, PLAIN))


@pytest.mark.parametrize("name", ["", "A", "a.b", "..", "../a", "a/b", "/tmp", "a" * 65, "é", "a\n", ".a", "a\0"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    catalogue = Catalogue(tmp_path / "indexes")
    for call in (catalogue.open, catalogue.manifest, catalogue.unload, catalogue.delete, catalogue.merge):
        with pytest.raises(UnknownIndexError, match="a name is"):
            call(name)
    with pytest.raises(UnknownIndexError, match="a name is"):
        put(catalogue, name, ONE)
    assert not list(tmp_path.rglob("*"))


def test_one_build_of_a_name_at_a_time(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path)
    put(catalogue, "name", ONE)
    started, go_on = threading.Event(), threading.Event()

    def slow(texts: list[str]) -> list[list[int]]:
        started.set()
        assert go_on.wait(60)
        return encode(texts)

    builder = threading.Thread(
        target=lambda: catalogue.build("name", [Records(OTHER)], PLAIN, slow, tokenizer="code points")
    )
    builder.start()
    assert started.wait(60)
    try:
        for call in (lambda: put(catalogue, "name", OTHER), lambda: catalogue.delete("name")):
            with pytest.raises(RetrievalIndexError, match="try again later"):
                call()
        assert_same(catalogue.open("name").view, model_of(ONE, PLAIN))
        put(catalogue, "other", ONE)
    finally:
        go_on.set()
        builder.join()
    assert_same(catalogue.open("name").view, model_of(OTHER, PLAIN))


def test_damage_is_told(tmp_path: Path) -> None:
    catalogue = Catalogue(tmp_path)
    put(catalogue, "name", ONE)
    folder = catalogue.open("name").folder
    catalogue.unload("name")
    (folder / "values.bin").unlink()
    with pytest.raises(CorruptIndexError, match=r"values\.bin is missing"):
        catalogue.open("name")
    (tmp_path / "name" / "current").write_text("../../etc")
    with pytest.raises(CorruptIndexError, match="build the index 'name' again"):
        catalogue.open("name")
