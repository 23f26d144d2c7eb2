"""What is read, and what is counted out."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.errors import MalformedInputError
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.report import MAX_EXAMPLES, Report
from models.retrieval.index.sources import JsonLines, Records, Source, Tabbed
from models.text import files as text_files
from models.text.files import TextFileError
from models.text.normalisation import normalise_name
from tests.models.retrieval.reference import PLAIN, TRIPLE, assert_same, encode, key_of, model_of

KNOWLEDGE = """守望星光（韩玉玲、刘东考演唱歌曲）\t出品公司\t韩玉玲原创音乐
守望星光（韩玉玲、刘东考演唱歌曲）\t中文名\t守望星光
国民军\t参与战争\t直奉战争、北伐战争
国民军\t参与战争\t抗日战争
国民军\t参与战争\t抗日战争
"""


def made(folder: Path, source: Source, key_format: KeyFormat = TRIPLE, **more: object) -> CompiledIndex:
    build(folder / "index", [source], key_format, encode, tokenizer="code points", **more)  # type: ignore[arg-type]
    return CompiledIndex.open(folder / "index")


@pytest.mark.parametrize("turn", [str, lambda text: "\ufeff" + text.replace("\n", "\r\n"), str.rstrip])
@pytest.mark.parametrize("packed", [False, True])
def test_knowledge_as_it_is(tmp_path: Path, turn: Callable[[str], str], packed: bool) -> None:
    path = tmp_path / ("Knowledge.txt.gz" if packed else "Knowledge.txt")
    raw = turn(KNOWLEDGE).encode()
    path.write_bytes(gzip.compress(raw) if packed else raw)
    heard: list[tuple[str, int, int]] = []
    index = made(tmp_path, Tabbed(path), progress=lambda *what: heard.append(what))
    assert_same(index, model_of([line.split("\t") for line in KNOWLEDGE.splitlines()], TRIPLE))
    number = index.find(key_of(("国民军", "参与战争"), TRIPLE))
    assert number is not None and index.values(number) == ["直奉战争、北伐战争", "抗日战争"]
    assert index.manifest.report == {
        "lines": 5,
        "blank": 0,
        "unused": 0,
        "malformed": 0,
        "duplicates": 1,
        "examples": [],
    }
    size = path.stat().st_size
    assert ("reading", size, size) in heard and heard[-1] == ("compiling", 2, 2)


MALFORMED = {
    "one column": b"a",
    "four columns": b"a\tb\tc\td",
    "no subject": b"\tb\tc",
    "no object": b"a\tb\t",
    "not UTF-8": b"a\t\xff\tc",
    "the separator": b"a|b\tb\tc",
    "empty meaning": "a（x\t#\tc".encode(),
    "too long": b"a\tb\t" + b"c" * text_files.MAX_LINE_BYTES,
    "much too long": b"a\tb\t" + b"c" * (2 * text_files.BLOCK_BYTES),
}


@pytest.mark.parametrize("bad", MALFORMED.values(), ids=MALFORMED)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_malformed_lines_are_named(tmp_path: Path, bad: bytes, place: str) -> None:
    good = [b"x\ty\tz", b"", b"x\ty\tw"]
    at = {"first": 0, "middle": 1, "last": 3}[place]
    path = tmp_path / "facts.tsv"
    path.write_bytes(b"\n".join([*good[:at], bad, *good[at:]]))
    index = made(tmp_path, Tabbed(path))
    assert_same(index, model_of([("x", "y", "z"), ("x", "y", "w")], TRIPLE))
    report = index.manifest.report
    assert (report["lines"], report["blank"], report["malformed"]) == (4, 1, 1)
    assert [(one["source"], one["line"]) for one in report["examples"]] == [("facts.tsv", at + 1)]
    with pytest.raises(MalformedInputError, match=f"line {at + 1}: "):
        build(tmp_path / "strict", [Tabbed(path)], TRIPLE, encode, tokenizer="t", strict=True)
    assert not (tmp_path / "strict").exists()


def test_all_malformed_lines_are_counted_and_some_kept(tmp_path: Path) -> None:
    path = tmp_path / "facts.tsv"
    path.write_text("a|\tb\tc\n" * 50 + "a\n" * 50 + "a\tb\tc")
    report = made(tmp_path, Tabbed(path)).manifest.report
    assert report["malformed"] == 100 and len(report["examples"]) == MAX_EXAMPLES


LINE = st.one_of(
    st.sampled_from(
        ["", "a\tb", "a\tb\tc", "c\td\te", "\t\t", "a\tb\t", "é（ü）\tb\tc", "\r", "a\rb\tc\td", "　 ", "\u200b"]
    ),
    st.text("ab\t\r", max_size=8),
)


@settings(max_examples=100)
@given(st.lists(LINE, max_size=12), st.sampled_from([1, 2]), st.sampled_from([1, 3, 16, 1000]))
def test_blocks_split_at_once_and_line_by_line_are_read_alike(texts: list[str], fields: int, block: int) -> None:
    import tempfile

    raw = "\n".join(texts)
    wanted, malformed, blank = [], [], 0
    ended = raw.replace("\r\n", "\n").replace("\r", "\n")
    texts = ended.split("\n") if not ended.endswith("\n") else ended.split("\n")[:-1]
    for number, text in enumerate(texts if raw else [], 1):
        row = text.split("\t")
        if len(row) == 1 and not normalise_name(text):
            blank += 1
        elif len(row) == fields + 1 and "" not in row:
            wanted.append((number, *row))
        else:
            malformed.append(number)
    report = Report()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_files, "BLOCK_BYTES", block)
        path = Path(folder) / "lines"
        path.write_bytes(raw.encode())
        found = [
            (line, *(cell.decode() for cell in cells))
            for batch in Tabbed(path).batches(fields, report)
            for line, *cells in zip(batch.lines, *batch.columns, strict=True)
        ]
    assert found == wanted
    assert (report.lines, report.malformed, report.blank) == (len(texts) if raw else 0, len(malformed), blank)
    assert [line for _, line, _ in report.examples] == malformed[:MAX_EXAMPLES]


def test_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "facts.jsonl"
    good: list[dict[str, object]] = [
        {"subject": "a", "predicate": "b", "object": "c\td"},
        {"subject": "a", "meaning": "m（n）", "predicate": "b", "objects": ["c", "d", "c"]},
        {"subject": "a（m）", "predicate": "b", "object": "e"},
    ]
    bad = [
        "{",
        "[]",
        "[" * 100_000,
        json.dumps({"subject": "a", "predicate": "b"}),
        json.dumps({"subject": "a", "predicate": "b", "object": "c", "objects": ["c"]}),
        json.dumps({"subject": "a", "predicate": "b", "objects": []}),
        json.dumps({"subject": "a", "predicate": "b", "objects": [1]}),
        json.dumps({"subject": "", "predicate": "b", "object": "c"}),
        json.dumps({"subject": "a", "predicate": "b", "object": "c", "meening": "m"}),
        json.dumps({"subject": "a", "predicate": "b", "object": "c", "meaning": "m）"}),
        '{"subject": "a", "predicate": "b", "object": "\\ud800"}',
    ]
    path.write_text("\n".join([json.dumps(record) for record in good] + bad) + "\n\n")
    index = made(tmp_path, JsonLines(path))
    rows = [("a", "b", "c\td"), ("a（m（n））", "b", "c"), ("a（m（n））", "b", "d"), ("a（m）", "b", "e")]
    assert_same(index, model_of(rows, TRIPLE))
    report = index.manifest.report
    assert (report["malformed"], report["blank"], report["duplicates"]) == (len(bad), 1, 1)
    assert [one["line"] for one in report["examples"]] == list(range(4, 4 + len(bad)))


def test_plain_keys(tmp_path: Path) -> None:
    tabbed, json_lines = tmp_path / "a.tsv", tmp_path / "b.jsonl"
    tabbed.write_text("k\tv\nl\tw\n")
    json_lines.write_text('{"key": "k", "values": ["u", "v"]}\n{"key": "m", "value": "x"}\n')
    build(tmp_path / "index", [Tabbed(tabbed), JsonLines(json_lines)], PLAIN, encode, tokenizer="t")
    rows = [("k", "v"), ("l", "w"), ("k", "u"), ("m", "x")]
    assert_same(CompiledIndex.open(tmp_path / "index"), model_of(rows, PLAIN))


def test_aliases_lead_to_the_same_values(tmp_path: Path) -> None:
    rows = [("a", "p", "1"), ("a（m）", "p", "2"), ("b", "q", "3"), ("A", "p", "4")]
    aliases = [("A", "a"), ("M", "a（m）"), ("B", "b"), ("A", "b"), ("X", "nothing"), ("Y", "A（z）"), ("Z", "X")]
    more = {"aliases": [Records(aliases, "names")]}
    index = made(tmp_path, Records(rows), **more)
    expected = [*rows, ("A", "p", "1"), ("A（m）", "p", "2"), ("M（m）", "p", "2"), ("B", "q", "3"), ("A", "q", "3")]
    assert_same(index, model_of(expected, TRIPLE))
    faults = [(one["source"], one["line"]) for one in index.manifest.report["examples"]]
    assert faults == [("names", 5), ("names", 6), ("names", 7)]


def test_texts_of_the_same_tokens_are_one_key(tmp_path: Path) -> None:
    build(
        tmp_path / "index",
        [Records([("Key", "1"), ("key", "2"), ("Ä", "3"), (" ", "4")])],
        PLAIN,
        lambda texts: encode([text.strip("Ä").lower() for text in texts]),
        tokenizer="t",
    )
    index = CompiledIndex.open(tmp_path / "index")
    assert_same(index, {tuple(map(ord, "key")): ["1", "2"]})
    assert index.manifest.report["examples"] == [
        {"source": "records", "line": line, "fault": "the key is empty, or nothing to the tokenizer"} for line in (3, 4)
    ]


def test_a_damaged_gzip_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "facts.tsv.gz"
    path.write_bytes(gzip.compress(b"a\tb\tc\n" * 1000)[:-9])
    with pytest.raises(TextFileError, match=r"facts\.tsv\.gz cannot be read"):
        made(tmp_path, Tabbed(path))
    assert [one.name for one in tmp_path.iterdir()] == ["facts.tsv.gz"]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    for source in (Tabbed(tmp_path / "facts.tsv"), JsonLines(tmp_path / "facts.tsv")):
        with pytest.raises(TextFileError, match=r"facts\.tsv cannot be read"):
            made(tmp_path, source)
