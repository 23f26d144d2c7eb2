"""N-Triples: what becomes of each term, of labels, and of lines that cannot be read."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.errors import MalformedInputError
from models.retrieval.index.labels import with_labels
from models.retrieval.index.ntriples import NTriples, is_statement, local_name
from models.retrieval.index.report import Report
from models.retrieval.index.sources import Source
from tests.models.retrieval.reference import TRIPLE, encode, key_of

LABEL = "<http://www.w3.org/2000/01/rdf-schema#label>"
LINES = f"""# a comment
<http://e.org/Q1> {LABEL} "Shanghai"@en .
<http://e.org/Q1> {LABEL} "上海"@zh-cn .
<http://e.org/Q1> {LABEL} "Schanghai"@de .
<http://e.org/Q1> <http://e.org/p#country> <http://e.org/%E4%B8%AD%E5%9B%BD> .

<http://e.org/Q1> <http://e.org/population_total> "24870000"^^<http://www.w3.org/2001/XMLSchema#integer> .
<http://e.org/Q1> <http://e.org/motto> "say \\"\\u4F60\\u597D\\"\\n"@zh <http://e.org/graph> .
_:b0 <http://e.org/street> "a street" .
<http://e.org/Q1> <http://e.org/address> _:b0 .
"""


def rows(source: Source, report: Report) -> list[tuple[str, ...]]:
    return [
        tuple(cell.decode() for cell in cells)
        for batch in source.batches(2, report)
        for cells in zip(*batch.columns, strict=True)
    ]


def read(folder: Path, text: str, **more: str) -> tuple[list[tuple[str, ...]], Report]:
    path, report = folder / "graph.nt", Report()
    path.write_text(text, "utf-8")
    return rows(NTriples(path, **more), report), report  # type: ignore[arg-type]


def test_what_becomes_of_terms(tmp_path: Path) -> None:
    found, report = read(tmp_path, LINES)
    assert found == [
        ("上海", "label", "Shanghai"),
        ("上海", "label", "Schanghai"),
        ("上海", "country", "中国"),
        ("上海", "population total", "24870000"),
        ("上海", "motto", 'say "你好"\n'),
    ]
    assert (report.lines, report.blank, report.unused, report.malformed) == (10, 2, 3, 0)


@pytest.mark.parametrize(
    ("language", "name"), [("en", "Shanghai"), ("DE", "Schanghai"), ("zh", "上海"), ("fr", "上海")]
)
def test_the_language_of_names(tmp_path: Path, language: str, name: str) -> None:
    found, _ = read(tmp_path, LINES, language=language)
    assert {subject for subject, _, _ in found} == {name}


@pytest.mark.parametrize(
    ("iri", "name"),
    [
        ("http://dbpedia.org/resource/New_York_City", "New York City"),
        ("http://zh.dbpedia.org/resource/%E8%8B%B9%E6%9E%9C_(%E5%85%AC%E5%8F%B8)", "苹果（公司）"),
        ("http://www.w3.org/1999/02/22-rdf-syntax-ns#type", "type"),
        ("http://e.org/a/", "a"),
        ("http://e.org/", "e.org"),
        ("urn:isbn:123", "123"),
        ("http://e.org/%E4%B8", "%E4%B8"),
        ("http://e.org/_", "http://e.org/_"),
    ],
)
def test_local_names(iri: str, name: str) -> None:
    assert local_name(iri) == name


def test_nodes_of_one_name_stay_apart(tmp_path: Path) -> None:
    index = folder_index(
        tmp_path,
        f'<http://e.org/Q308> {LABEL} "水星" .\n<http://e.org/Q925> {LABEL} "水星" .\n'
        '<http://e.org/Q308> <http://e.org/kind> "planet" .\n<http://e.org/Q925> <http://e.org/kind> "metal" .\n',
    )
    for meaning, value in (("Q308", "planet"), ("Q925", "metal")):
        number = index.find(key_of((f"水星（{meaning}）", "kind"), TRIPLE))
        assert number is not None and index.values(number) == [value]


def folder_index(folder: Path, text: str) -> CompiledIndex:
    path = folder / "graph.nt.gz"
    path.write_bytes(gzip.compress(text.encode()))
    build(folder / "index", [NTriples(path)], TRIPLE, encode, tokenizer="code points")
    return CompiledIndex.open(folder / "index")


def test_labels_of_another_file_in_any_order(tmp_path: Path) -> None:
    labels, facts = tmp_path / "labels.nt", tmp_path / "facts.nt"
    labels.write_text(f'<http://e.org/1> {LABEL} "一" .\n<http://e.org/p> {LABEL} "关系"@zh .\n', "utf-8")
    facts.write_text("<http://e.org/1> <http://e.org/p> <http://e.org/2> .\n", "utf-8")
    report = Report()
    sources = with_labels([NTriples(facts), NTriples(labels)])
    assert [row for source in sources for row in rows(source, report)] == [("一", "关系", "2")]


BAD = {
    "no dot": '<http://e.org/1> <http://e.org/p> "v"',
    "no IRI": 'a <http://e.org/p> "v" .',
    "an escape": '<http://e.org/1> <http://e.org/p> "\\q" .',
    "half a pair": '<http://e.org/1> <http://e.org/p> "\\uD800" .',
    "two": '<http://e.org/1> <http://e.org/p> "v" . <http://e.org/1> <http://e.org/p> "v" .',
    "an empty literal": '<http://e.org/1> <http://e.org/p> "" .',
    "a prefix": "@prefix e: <http://e.org/> .",
    "a statement": '<http://e.org/1> <http://e.org/p> <<( <http://e.org/1> <http://e.org/p> "v" )>> .',
    "a label": f'<http://e.org/1> {LABEL} "v',
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_malformed_lines_are_named(tmp_path: Path, bad: str) -> None:
    good = '<http://e.org/1> <http://e.org/p> "v" .\n'
    found, report = read(tmp_path, f"{good}{bad}\n{good}")
    assert found == [("1", "p", "v")] * 2
    assert (report.lines, report.malformed) == (3, 1) and [each[:2] for each in report.examples] == [("graph.nt", 2)]
    assert "line 1" not in report.examples[0][2]
    with pytest.raises(MalformedInputError, match=r"graph\.nt, line 2: "):
        rows(NTriples(tmp_path / "graph.nt"), Report(strict=True))


def test_lines_that_look_like_statements() -> None:
    assert all(map(is_statement, ('<a> <b> "c" .', "<a>\t<b>\t<c>\t.", "_:a <b> _:c .")))
    assert not any(map(is_statement, ("a\tb\tc", "<a>\tb\tc", "<b>bold</b>\ttext", "_:a")))
