"""Tables in files: every format and style gives back what it was given, and says what it cannot read."""

from __future__ import annotations

import gzip
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import parquet

from models.text.files import TextFileError, WrongEncodingError
from models.text.tables.files import packed, read_table, table_bytes
from models.text.tables.table import Column, Style, TableFormat, format_of, written

COLUMNS = [Column("词"), Column("n", int), Column("p", float), Column("yes", bool), Column("")]
ROWS = [
    ["今天,公园", 3, -1.5, True, None],
    ['say "so"\n下一行', -2, 0.25, False, "=1+1"],
    [None, None, None, None, "；"],
]
TEXTS = [[None if cell is None else written(cell) for cell in row] for row in ROWS]


def put(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("a.csv", "csv"),
        ("A.CSV.gz", "csv"),
        ("b.tsv", "tsv"),
        ("c.parquet", "parquet"),
        ("d.XLSX", "xlsx"),
        ("e.jsonl", None),
        ("f", None),
        ("-", None),
    ],
)
def test_formats_by_name(name: str, form: TableFormat | None) -> None:
    assert format_of(Path(name)) == form


STYLES = [
    Style(),
    Style(";"),
    Style("\t"),
    Style(mark=True),
    Style(",", "gb18030"),
    Style(",", "utf-16-le", mark=True),
    Style(";", "utf-16-be", mark=True),
]


@pytest.mark.parametrize("style", STYLES, ids=repr)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz"])
def test_delimited_text_in_its_own_style(tmp_path: Path, style: Style, name: str) -> None:
    path = put(tmp_path, name, packed(table_bytes("csv", COLUMNS, ROWS, style), Path(name)))
    found = read_table(path, "csv", None if style.mark else style.encoding)
    assert [column.name for column in found.columns] == [column.name for column in COLUMNS]
    assert [[cell or None for cell in row] for row in found.rows] == TEXTS
    assert (found.style, found.numbers, found.unit, found.faults) == (style, [2, 3, 5], "line", [])


def test_text_that_its_encoding_lacks_goes_in_utf_8(tmp_path: Path) -> None:
    content = table_bytes("csv", [Column("a")], [["ě😀"]], Style(",", "big5"))
    assert content == "\ufeffa\ně😀\n".encode()


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_half_a_surrogate_pair_is_escaped(tmp_path: Path, form: TableFormat) -> None:
    found = read_table(put(tmp_path, "a", table_bytes(form, [Column("a")], [["\ud800"]])), form)
    assert [list(row) for row in found.rows] == [["\\ud800"]]


def test_rows_that_are_short_long_or_blank(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", b'\na,b\n1\n,\n1,2,\n1,2,3\n \n"x\n')
    found = read_table(path, "csv")
    assert found.rows == [["1", None], ["1", "2"]] and found.numbers == [3, 5]
    assert found.faults == [(6, "3 cells under a header of 2"), (8, "a quote opens that is never closed")]


def test_gbk_without_its_name_is_guessed(tmp_path: Path) -> None:
    path = put(tmp_path, "a.csv", "词\n今天\n公园散步\n".encode("gbk"))
    with pytest.raises(WrongEncodingError, match="gbk"):
        read_table(path, "csv")


@pytest.mark.parametrize("name", ["a.parquet", "a.xlsx"])
def test_typed_cells_come_back(tmp_path: Path, name: str) -> None:
    form = format_of(Path(name))
    assert form is not None
    columns = [*COLUMNS, Column("day", date), Column("time", datetime)]
    extra: list[list[Any]] = [[date(2026, 1, 2), datetime(2026, 1, 2, 3, 4, 5)], [None, None], [None, None]]
    rows = [[*row, *more] for row, more in zip(ROWS, extra, strict=True)]
    found = read_table(put(tmp_path, name, table_bytes(form, columns, rows)), form)
    assert [list(row) for row in found.rows] == rows and found.unit == "row" and found.style is None
    assert list(found.numbers) == ([1, 2, 3] if form == "parquet" else [2, 3, 4])
    again = read_table(put(tmp_path, name, table_bytes(form, found.columns, found.rows)), form)
    assert (again.columns, again.rows) == (found.columns, found.rows)


def test_parquet_keeps_types_and_takes_mixed_cells_as_text(tmp_path: Path) -> None:
    table = pyarrow.table({"at": pyarrow.array([5], pyarrow.timestamp("ms", tz="UTC")), "list": [["今天", "公园"]]})
    path = tmp_path / "a.parquet"
    parquet.write_table(table, path)
    found = read_table(path, "parquet")
    assert [column.type for column in found.columns] == list(table.schema.types)
    path.write_bytes(table_bytes("parquet", found.columns, found.rows))
    assert parquet.read_table(path) == table
    path.write_bytes(table_bytes("parquet", [Column("n", int)], [[1], ["one"], [None]]))
    assert parquet.read_table(path).to_pydict() == {"n": ["1", "one", None]}


def test_a_workbook_holds_what_a_cell_cannot_as_text(tmp_path: Path) -> None:
    cells = [2**60, float("inf"), ["今天"], "=1+1", "http://example.org"]
    columns = [Column(str(at)) for at in range(len(cells))]
    found = read_table(put(tmp_path, "a.xlsx", table_bytes("xlsx", columns, [cells])), "xlsx")
    assert found.rows == [[str(2**60), "inf", '["今天"]', "=1+1", "http://example.org"]]


@pytest.mark.parametrize("form", ["parquet", "xlsx"])
@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"PK\x03\x04" + bytes(50), b"PAR1" + bytes(50) + b"PAR1"])
def test_what_is_none_is_refused(tmp_path: Path, form: TableFormat, content: bytes) -> None:
    with pytest.raises(TextFileError, match="can be read"):
        read_table(put(tmp_path, "a", content), form)
    with pytest.raises(TextFileError, match="no such file"):
        read_table(tmp_path / "none", form)


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_tables_without_rows(tmp_path: Path, form: TableFormat) -> None:
    found = read_table(put(tmp_path, "a", table_bytes(form, COLUMNS, [])), form)
    assert not found.rows and len(found.columns) == len(COLUMNS)


def test_nothing_at_all(tmp_path: Path) -> None:
    for content in (b"", b"\n\n", gzip.compress(b"")):
        assert read_table(put(tmp_path, "a.csv", content), "csv").columns == []


def test_a_missing_package_is_named_with_its_extra() -> None:
    code = """
import sys
sys.modules.update(dict.fromkeys(["pyarrow", "xlsxwriter", "python_calamine"]))
from pathlib import Path
from models.text.tables.files import check_format, read_table
for work in (lambda: check_format("parquet"), lambda: check_format("xlsx"), lambda: read_table(Path("-"), "xlsx")):
    try:
        work()
    except Exception as error:
        print(f"{type(error).__name__}: {error}")
"""
    done = subprocess.run([sys.executable, "-c", code], stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "MissingExtraError: pyarrow is not installed; pip install 'chainwright[parquet]'",
        "MissingExtraError: xlsxwriter is not installed; pip install 'chainwright[excel]'",
        "MissingExtraError: python_calamine is not installed; pip install 'chainwright[excel]'",
    ]
