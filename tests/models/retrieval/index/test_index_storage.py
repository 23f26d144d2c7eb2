"""Indexes on disk: damaged, half written, changed by several."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.errors import (
    CorruptIndexError,
    RetiredIndexError,
    RetrievalIndexError,
)
from models.retrieval.index.live import Changed, LiveIndex
from tests.models.retrieval.reference import PLAIN, TRIPLE, assert_same, built, key_of, model_of

ROWS = [("a（m）", "p", "1"), ("a", "p", "2"), ("b", "q", "3"), ("b", "q", "4")]
MODEL = model_of(ROWS, TRIPLE)
KEY = key_of(("b", "q"), TRIPLE)
FILES = [
    *(f"key-{name}.npy" for name in ("tokens", "starts", "cells", "entries", "bases")),
    *(f"wide-{name}.npy" for name in ("starts", "tokens", "children", "final", "first", "last", "begin_keys")),
    "value-starts.npy",
    "values.bin",
]


def test_the_manifest_lists_every_file(tmp_path: Path) -> None:
    manifest = built(tmp_path / "index", ROWS, TRIPLE).manifest
    assert sorted(manifest.files) == sorted(FILES)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_flipped_bit_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "index" / name
    built(path.parent, ROWS, TRIPLE)
    raw = bytearray(path.read_bytes())
    for at in (0, len(raw) // 2, len(raw) - 2):
        raw[at] ^= 1
        path.write_bytes(raw)
        os.utime(path, (1, 1))
        with pytest.raises(CorruptIndexError, match=name):
            CompiledIndex.open(path.parent)
        raw[at] ^= 1
    path.write_bytes(raw)
    assert_same(CompiledIndex.open(path.parent), MODEL)


@pytest.mark.parametrize("name", [*FILES, "manifest.json"])
def test_a_missing_or_truncated_file_is_refused_by_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / "index" / name
    built(path.parent, ROWS, TRIPLE)
    status = path.stat()
    os.truncate(path, status.st_size - 1)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(CorruptIndexError, match=name):
        CompiledIndex.open(path.parent)
    path.unlink()
    with pytest.raises(CorruptIndexError, match=name):
        CompiledIndex.open(path.parent)


def test_damage_that_keeps_size_and_time_is_found_by_the_full_check(tmp_path: Path) -> None:
    path = tmp_path / "index" / "values.bin"
    built(path.parent, ROWS, TRIPLE)
    status = path.stat()
    path.write_bytes(b"!" * status.st_size)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    CompiledIndex.open(path.parent)
    with pytest.raises(CorruptIndexError, match=r"values\.bin"):
        CompiledIndex.open(path.parent, full=True)


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "index" / "manifest.json"
    built(path.parent, ROWS, TRIPLE)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": 2}))
    with pytest.raises(CorruptIndexError, match="version 2"):
        CompiledIndex.open(path.parent)


def test_an_index_is_not_built_over_another(tmp_path: Path) -> None:
    built(tmp_path / "index", ROWS, TRIPLE)
    with pytest.raises(RetrievalIndexError, match="exists"):
        built(tmp_path / "index", ROWS[:1], TRIPLE)
    assert_same(CompiledIndex.open(tmp_path / "index"), MODEL)


@pytest.mark.parametrize("what", ["build", "replace", "merge", "update"])
def test_killed_at_any_moment(tmp_path: Path, what: str) -> None:
    """The child does the same again and again, each time killed one file operation later."""
    command = [sys.executable, "-m", "tests.models.retrieval.killed", what, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, result.stdout + result.stderr
    moments = json.loads(result.stdout)
    assert moments["killed"] >= {"build": 40, "replace": 40, "merge": 40, "update": 3}[what]
    assert moments["before"] > 0 and moments["after"] > 0, "killed before and after the change took effect"
    assert moments["before"] + moments["after"] == moments["killed"] + 1


def test_a_torn_last_change_is_forgotten_and_overwritten(tmp_path: Path) -> None:
    built(tmp_path / "index", ROWS, TRIPLE)
    live = LiveIndex.open(tmp_path / "index")
    live.update(removed=[(KEY, ["3"])])
    whole = (tmp_path / "index" / "changes.log").read_bytes()
    live.update(removed=[(KEY, None)])
    log = tmp_path / "index" / "changes.log"
    second = log.read_bytes()[len(whole) :]
    for length in range(len(second)):
        log.write_bytes(whole + second[:length])
        again = LiveIndex.open(tmp_path / "index")
        assert_same(again.view, MODEL | {KEY: ["4"]})
    again.update(added=[(KEY, ["5"])])
    assert_same(LiveIndex.open(tmp_path / "index").view, MODEL | {KEY: ["4", "5"]})


def test_a_damaged_change_is_refused(tmp_path: Path) -> None:
    built(tmp_path / "index", ROWS, TRIPLE)
    live = LiveIndex.open(tmp_path / "index")
    for value in "567":
        live.update(added=[(KEY, [value])])
    log = tmp_path / "index" / "changes.log"
    lines = log.read_bytes().split(b"\n")
    lines[2] = lines[2].replace(b"6", b"9")
    log.write_bytes(b"\n".join(lines))
    with pytest.raises(CorruptIndexError, match=r"changes\.log, line 3"):
        LiveIndex.open(tmp_path / "index")


def test_the_changes_of_another_build_are_refused(tmp_path: Path) -> None:
    for name in ("one", "other"):
        built(tmp_path / name, ROWS, TRIPLE)
    LiveIndex.open(tmp_path / "one").update(removed=[(KEY, None)])
    (tmp_path / "one" / "changes.log").rename(tmp_path / "other" / "changes.log")
    with pytest.raises(CorruptIndexError, match="another build"):
        LiveIndex.open(tmp_path / "other")


def test_what_an_update_did(tmp_path: Path) -> None:
    built(tmp_path / "index", ROWS, TRIPLE)
    live = LiveIndex.open(tmp_path / "index")
    new = key_of(("c", "p"), TRIPLE)
    assert live.update(added=[(KEY, ["3", "5", "5"]), (new, ["6"])]) == Changed(added=2, known=2)
    assert live.update(removed=[(KEY, ["3", "9"]), (key_of(("d", "p"), TRIPLE), None)]) == Changed(removed=1, missing=2)
    assert live.update(removed=[(KEY, None)], added=[(KEY, ["4"])]) == Changed(added=1, removed=2)
    before = live.log_bytes
    assert live.update(added=[(KEY, ["4"])]) == Changed(known=1)
    assert live.log_bytes == before, "nothing changed, nothing is written"
    assert_same(live.view, MODEL | {KEY: ["4"], new: ["6"]})


@pytest.mark.parametrize(
    ("key", "values", "message"),
    [
        ((), ["v"], "subject is missing"),
        ((*tuple(map(ord, "a|b#|!c")), -1), ["v"], "token ids"),
        ((*tuple(map(ord, "a|b#|!c")), 1 << 32), ["v"], "token ids"),
        (KEY, [], "not empty"),
        (KEY, [""], "not empty"),
        (KEY, ["\ud800"], "surrogate"),
    ],
)
def test_updates_that_cannot_be(tmp_path: Path, key: tuple[int, ...], values: list[str], message: str) -> None:
    built(tmp_path / "index", ROWS, TRIPLE)
    live = LiveIndex.open(tmp_path / "index")
    with pytest.raises(ValueError, match=message):
        live.update(added=[(key, values)])
    assert_same(live.view, MODEL)


def test_writers_take_turns_and_see_each_other(tmp_path: Path) -> None:
    built(tmp_path / "index", [("start", "0")], PLAIN)
    writers = [LiveIndex.open(tmp_path / "index") for _ in range(3)]

    def write(number: int) -> None:
        for step in range(10):
            key = key_of((f"{number}{step}",), PLAIN)
            writers[number].update(added=[(key, ["v"]), (key_of(("shared",), PLAIN), [f"{number}.{step}"])])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    view = LiveIndex.open(tmp_path / "index").view
    assert len(view) == 32
    shared = view.find(key_of(("shared",), PLAIN))
    assert shared is not None and len(view.values(shared)) == 30
    assert all(len(writer.refresh()) == 32 for writer in writers)


def test_a_deleted_index_takes_no_changes(tmp_path: Path) -> None:
    built(tmp_path / "index", ROWS, TRIPLE)
    live = LiveIndex.open(tmp_path / "index")
    (tmp_path / "index").rename(tmp_path / "gone")
    with pytest.raises(RetiredIndexError, match="open the index again"):
        live.update(removed=[(KEY, None)])
    assert_same(live.view, MODEL)
    assert not (tmp_path / "index").exists()
