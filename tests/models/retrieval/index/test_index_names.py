"""Names of one normal form are one key, shown as it was first written, through changes, merges and replays."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.errors import CorruptIndexError, EmptyIndexError
from models.retrieval.index.key_format import KeyFormat, split_entity
from models.retrieval.index.live import Changed, LiveIndex
from models.retrieval.index.names import in_one_line
from models.retrieval.index.overlay import OverlayView
from models.retrieval.index.sources import JsonLines, Records, Tabbed
from models.retrieval.index.values import normal_value
from models.text.normalisation import are_normal_names, normalise_name
from tests.models.retrieval.reference import PLAIN, TRIPLE, assert_same, built, encode, key_of, model_of

WAYS = {
    "NFC": "Café 5G",
    "NFD": "Cafe\u0301 5G",
    "full-width": "Ｃａｆé ５Ｇ",
    "zero-width space": "Ca\u200bfé 5G",
    "byte order mark": "\ufeffCafé 5G",
    "soft hyphen": "Ca\u00adfé 5G",
    "no-break space": "Café\u00a05G",
    "ideographic space": "\u3000Café\u30005G",
    "white space": "  Café \t 5G ",
}


def shown(view: OverlayView, key_format: KeyFormat = TRIPLE) -> set[tuple[str, ...]]:
    """The parts of all keys as they are shown."""
    found = set()
    for number in range(len(view)):
        parts = key_format.split(view.key(number))
        found.add(tuple(view.written(at, part) or "".join(map(chr, part)) for at, part in enumerate(parts)))
    return found


@pytest.mark.parametrize("first", WAYS)
def test_all_ways_are_one_key_shown_as_first_written(tmp_path: Path, first: str) -> None:
    ways = [WAYS[first], *WAYS.values()]
    rows = [(f"{way}（ {way} ）", way, value) for way in ways for value in (way.replace(" \t", ""), "x")]
    index = built(tmp_path / "index", rows, TRIPLE)
    assert_same(index, {key_of(("Café 5G（Café 5G）", "Café 5G"), TRIPLE): ["Café 5G", "x"]})
    assert index.manifest.report["duplicates"] == 2 * len(ways) - 2
    view = LiveIndex.open(tmp_path / "index").view
    assert shown(view) == {(WAYS[first].strip(),) * 3}


def test_an_index_of_normal_names_has_no_file_more(tmp_path: Path) -> None:
    plain = built(tmp_path / "plain", [("a", "p", "Ｖ")], TRIPLE).manifest.files
    odd = built(tmp_path / "odd", [("Ａ", "p", "v")], TRIPLE).manifest.files
    assert set(odd) - set(plain) == {f"written-{name}.npy" for name in ("numbers", "starts", "raw")}
    assert not any(name.startswith("written") for name in plain)


@pytest.mark.parametrize("name", ["numbers", "starts", "raw"])
def test_damage_to_how_names_are_written_is_found(tmp_path: Path, name: str) -> None:
    built(tmp_path / "index", [("Ａ", "p", "v")], TRIPLE)
    path = tmp_path / "index" / f"written-{name}.npy"
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    os.utime(path, (1, 1))
    with pytest.raises(CorruptIndexError, match=path.name):
        CompiledIndex.open(tmp_path / "index")


def test_what_is_empty_in_its_normal_form_is_malformed_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "facts.tsv"
    lines = ["\u200b\tp\to", "s\t\u3000\to", "s\tp\t\u00ad ", "s\tp\to", "s（\u200b）\tp\to"]
    path.write_text("\n".join(lines), "utf-8")
    build(tmp_path / "index", [Tabbed(path)], TRIPLE, encode, tokenizer="t")
    index = CompiledIndex.open(tmp_path / "index")
    assert_same(index, model_of([("s", "p", "o"), ("s（）", "p", "o")], TRIPLE))
    assert sorted(one["line"] for one in index.manifest.report["examples"]) == [1, 2, 3]


def test_json_names_and_meanings(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    path.write_text('{"subject": " ａ ", "meaning": "ｍ\\u200b", "predicate": "p\\nq", "object": "\\to\\n"}\n', "utf-8")
    build(tmp_path / "index", [JsonLines(path)], TRIPLE, encode, tokenizer="t")
    live = LiveIndex.open(tmp_path / "index")
    assert_same(live.view, model_of([("a（m）", "p q", "o")], TRIPLE))
    assert shown(live.view) == {("ａ", "p q", "ｍ\u200b")}


def test_aliases_by_their_normal_form(tmp_path: Path) -> None:
    rows = [("Ａ（ｍ）", "p", "1"), ("b", "p", "2")]
    aliases = [("Ｘ", "a\u0301（m）"), ("Ｘ", "A（m）"), ("Y", " b"), ("\u200b", "b")]
    build(tmp_path / "index", [Records(rows)], TRIPLE, encode, tokenizer="t", aliases=[Records(aliases, "names")])
    live = LiveIndex.open(tmp_path / "index")
    assert_same(live.view, model_of([*rows, ("X（m）", "p", "1"), ("Y", "p", "2")], TRIPLE))
    assert {parts[0] for parts in shown(live.view)} == {"Ａ", "b", "Ｘ", "Y"}
    assert [one["line"] for one in live.manifest.report["examples"]] == [1, 4]


def test_a_build_without_a_key_fails_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "facts.tsv"
    cases = {"": "no lines", "\n\n": "2 blank", "a\nb\n": "facts.tsv, line 1: 1 tab", "\u200b\tp\to": "empty"}
    for text, told in cases.items():
        path.write_text(text, "utf-8")
        with pytest.raises(EmptyIndexError, match=told):
            build(tmp_path / "index", [Tabbed(path)], TRIPLE, encode, tokenizer="t")
        assert not (tmp_path / "index").exists()


def test_values_are_changed_whichever_way_they_are_written(tmp_path: Path) -> None:
    built(tmp_path / "index", [("a", "p", "Ｖ１")], TRIPLE)
    live = LiveIndex.open(tmp_path / "index")
    key = key_of(("a", "p"), TRIPLE)
    assert live.update([(key, ["V1", "\u200bＶ１ ", "Cafe\u0301"])]) == Changed(added=1, known=2)
    assert live.view.values(0) == ["V1", "Café"]
    assert live.update(removed=[(key, ["Ｖ1"])]) == Changed(removed=1)
    with pytest.raises(ValueError, match="empty"):
        live.update([(key, ["\u200b"])])


LETTERS = ("a", "ａ", "b", "Ｂ", "é", "e\u0301", "\u200b", " ", "\u3000")
NAME = st.lists(st.sampled_from(LETTERS), min_size=1, max_size=4).map("".join)
ENTITY = st.tuples(NAME, st.sampled_from(["", "（m）", "（ｍ ）"])).map("".join)
FIELDS = st.tuples(ENTITY, st.sampled_from(["p", "ｐ", " p\u200b"])).filter(
    lambda fields: bool(split_entity(normalise_name(fields[0]))[0])
)


class Shown:
    """What must be shown: by column and normal form, what came first."""

    def __init__(self) -> None:
        self.forms: dict[tuple[int, str], str] = {}

    def add(self, fields: tuple[str, str]) -> dict[int, str]:
        halves = split_entity(normalise_name(fields[0]))
        raw = split_entity(fields[0].strip())
        if tuple(map(normalise_name, raw)) != halves:
            raw = halves
        parts = ((halves[0], raw[0]), (normalise_name(fields[1]), fields[1]), (halves[1], raw[1]))
        for column, (form, written) in enumerate(parts):
            self.forms.setdefault((column, form), in_one_line(written))
        return {column: in_one_line(written) for column, (form, written) in enumerate(parts) if written != form}

    def of(self, key: tuple[int, ...]) -> tuple[str, ...]:
        parts = ["".join(map(chr, part)) for part in TRIPLE.split(key)]
        return tuple(self.forms[column, part] for column, part in enumerate(parts))


@settings(max_examples=60)
@given(st.lists(FIELDS, min_size=1, max_size=12), st.data())
def test_changes_merges_and_replays_show_what_was_written_first(
    records: list[tuple[str, str]], data: st.DataObject
) -> None:
    must = Shown()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "0"
        built(folder, [(*fields, "v") for fields in records], TRIPLE)
        for fields in records:
            must.add(fields)
        model = model_of([(*fields, "v") for fields in records], TRIPLE)
        live = LiveIndex.open(folder)
        for step in range(data.draw(st.integers(0, 6))):
            match data.draw(st.sampled_from(["add", "remove value", "reopen", "merge"])):
                case "add":
                    some = data.draw(st.lists(FIELDS, min_size=1, max_size=4))
                    written: dict[tuple[int, ...], dict[int, str]] = {}
                    for fields in some:
                        written.setdefault(key_of(fields, TRIPLE), must.add(fields))
                    live.update([(key_of(fields, TRIPLE), ["Ｗ"]) for fields in some], written=written)
                    for fields in some:
                        values = model.setdefault(key_of(fields, TRIPLE), [])
                        values += [] if "W" in values else ["W"]
                case "remove value":
                    live.update(removed=[(key, ["Ｗ", "ｖ"]) for key in model if model[key] == ["v", "W"]])
                    model = {key: values for key, values in model.items() if values != ["v", "W"]}
                    if not model:
                        return
                case "reopen":
                    live = LiveIndex.open(folder)
                case "merge":
                    folder = Path(scratch) / f"merged-{step}"
                    live.merge(folder)
                    live = LiveIndex.open(folder)
                    kept = {(c, "".join(map(chr, p))) for key in model for c, p in enumerate(TRIPLE.split(key))}
                    must.forms = {one: text for one, text in must.forms.items() if one in kept}
            assert_same(live.view, model)
            assert shown(live.view) == {must.of(key) for key in model}


def test_an_index_of_before_with_other_forms_opens_and_is_merged(tmp_path: Path) -> None:
    """Keys that were compiled as they were written stay so."""
    live_key = PLAIN.join(encode(["Ａ"]))
    built(tmp_path / "index", [("b", "1")], PLAIN)
    live = LiveIndex.open(tmp_path / "index")
    live.update([(live_key, ["2"])])
    live.merge(tmp_path / "merged")
    assert_same(LiveIndex.open(tmp_path / "merged").view, {key_of(("b",), PLAIN): ["1"], live_key: ["2"]})


@given(st.lists(st.text("ab ａ\u0301\u200b\n\t", max_size=3), max_size=4))
def test_many_names_at_once_are_known_as_normal_only_if_each_is(names: list[str]) -> None:
    if are_normal_names("\n".join(names), len(names)):
        assert all(normalise_name(name) == name == normal_value(name) for name in names)
    elif all(normalise_name(name) == name for name in names):
        assert not names  # never slow without need
