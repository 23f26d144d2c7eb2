"""CSV: records over several lines, their numbers, and quotes that never close."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.retrieval.index.building import build
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.csv_header import header_of
from models.retrieval.index.report import Report
from models.retrieval.index.sources import CommaSeparated
from models.text.csv_records import read_records
from models.text.files import read_blocks
from tests.models.retrieval.reference import TRIPLE, assert_same, encode, model_of

Found = tuple[list[tuple[int, tuple[str, ...]]], Report]


def read(path: Path, fields: int = 2) -> Found:
    report = Report()
    found = [
        (line, tuple(cell.decode() for cell in cells))
        for batch in CommaSeparated(path).batches(fields, report)
        for line, *cells in zip(batch.lines, *batch.columns, strict=True)
    ]
    return found, report


def rows_of(folder: Path, text: str, fields: int = 2) -> Found:
    path = folder / "facts.csv"
    path.write_bytes(text.encode())
    return read(path, fields)


def test_quotes_commas_lines_and_blanks(tmp_path: Path) -> None:
    text = '"Dover, Kent",starred_actors,A. Example\r\n\r\n"two\r\nlines",p,"say ""so"""\r\nx,y\r\nz,q,5" disk\r\n'
    found, report = rows_of(tmp_path, text)
    assert found == [
        (1, ("Dover, Kent", "starred_actors", "A. Example")),
        (3, ("two\nlines", "p", 'say "so"')),
        (6, ("z", "q", '5" disk')),
    ]
    assert (report.lines, report.blank, report.malformed) == (6, 1, 1)
    assert report.examples == [("facts.csv", 5, "2 fields; 3 are due: subject, predicate, object")]


@pytest.mark.parametrize(
    ("header", "order"),
    [
        ("subject,predicate,object", "spo"),
        ("Entity,ATTRIBUTE,Value", "spo"),
        ("实体,属性,值", "spo"),
        ("主语,谓语,宾语", "spo"),
        ("ｓubject, predicate ,object", "spo"),
        ("object,subject,predicate", "osp"),
    ],
)
def test_headers(tmp_path: Path, header: str, order: str) -> None:
    row = dict(zip("spo", ("胶饴", "别名", "饴糖"), strict=True))
    found, report = rows_of(tmp_path, f"\ufeff{header}\n{','.join(row[one] for one in order)}\n")
    assert found == [(2, ("胶饴", "别名", "饴糖"))] and not report.malformed


def test_a_header_of_pairs_and_names_that_are_data(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "key,value\na,b\nkey,value\n", 1)[0] == [(2, ("a", "b")), (3, ("key", "value"))]
    assert rows_of(tmp_path, "subject,of,talk\n")[0] == [(1, ("subject", "of", "talk"))]
    assert header_of(["subject", "subject", "object"]) is None


def test_semicolons(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "subject;predicate;object\na,b;c;d\n")[0] == [(2, ("a,b", "c", "d"))]


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_quote_that_never_closes_costs_its_line_alone(tmp_path: Path, end: str) -> None:
    rows = [f"s{at},p,o" for at in range(20_000)]
    text = "\n".join([*rows[:5], '"Weird Al,born,1959', *rows[5:]]) + end
    found, report = rows_of(tmp_path, text)
    assert [cells[0] for _, cells in found] == [f"s{at}" for at in range(20_000)]
    assert [line for line, _ in found] == [*range(1, 6), *range(7, 20_002)]
    assert report.malformed == 1 and report.examples[0][1] == 6 and "never closed" in report.examples[0][2]
    assert report.lines == 20_001


def test_many_open_quotes_do_not_swallow_each_other(tmp_path: Path) -> None:
    text = "".join(f'"open {at},p,o\ns{at},p,o\n' for at in range(500))
    found, report = rows_of(tmp_path, text)
    assert [cells[0] for _, cells in found] == [f"s{at}" for at in range(500)]
    assert report.malformed == 500 and [line for _, line, _ in report.examples[:3]] == [1, 3, 5]


def test_lines_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_bytes(b'\xe4\xb8\xad,p,o\na,p,\xff\n"b\n\xff",p,o\nc,p,o\n')
    found, report = read(path)
    assert found == [(1, ("中", "p", "o")), (5, ("c", "p", "o"))]
    assert [line for _, line, _ in report.examples] == [2, 3, 4]


CELL = st.text('ab汉,;"\n \u2028\x85', max_size=6)


@settings(max_examples=200)
@given(st.lists(st.tuples(CELL, CELL, CELL), max_size=8))
def test_what_pythons_writer_writes_is_read(rows: list[tuple[str, str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(rows)
    lines, at = [], 1
    for row in rows:
        lines.append(at)
        at += 1 + sum(cell.count("\n") for cell in row)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.csv"
        path.write_bytes(out.getvalue().encode())
        records = list(read_records(read_blocks(path)))
    assert [(record.line, tuple(record.fields)) for record in records] == list(zip(lines, rows, strict=True))


def test_an_index_of_csv(tmp_path: Path) -> None:
    path = tmp_path / "facts.csv"
    path.write_text('entity,attribute,value\n"Dover, Kent",p,1\n"Dover,\n Kent",p,2\n', "utf-8")
    build(tmp_path / "index", [CommaSeparated(path)], TRIPLE, encode, tokenizer="t")
    assert_same(
        CompiledIndex.open(tmp_path / "index"), model_of([("Dover, Kent", "p", "1"), ("Dover, Kent", "p", "2")], TRIPLE)
    )
