"""Excel's workbooks: read by calamine, written by XlsxWriter; the first sheet is the table."""

from __future__ import annotations

import io
import math
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from models.text.files import TextFileError
from models.text.tables.table import Column, Table, package, written

EXTRA = "excel"
MAX_ROWS = 1_048_576
"""Rows that a sheet may have, the header among them."""

_LARGEST = 2**53
"""Integers up to here are exact in a cell."""


def read_excel(name: str, data: bytes) -> Table:
    """The first sheet of a workbook; its first row names the columns.

    Raises:
        TextFileError: it is no workbook, or calamine is not installed.
    """
    calamine = package("python_calamine", EXTRA)
    try:
        with calamine.CalamineWorkbook.from_filelike(io.BytesIO(data)) as book:
            sheet = [[_read(cell) for cell in row] for row in book.get_sheet_by_index(0).iter_rows()]
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise TextFileError(
            f"{name} is no workbook that can be read: {error}", "save it as .xlsx, or as CSV"
        ) from error
    filled = [(number, row) for number, row in enumerate(sheet, 1) if any(cell is not None for cell in row)]
    if not filled:
        return Table([], [], [])
    (_, header), *kept = filled
    rows = [row for _, row in kept]
    types = [_type(cells) for cells in zip(*rows, strict=True)] or [str] * len(header)
    columns = [Column(written(name).strip(), kind) for name, kind in zip(header, types, strict=True)]
    return Table(columns, rows, [number for number, _ in kept])


def write_excel(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> bytes:
    """A workbook of one sheet.

    Raises:
        TextFileError: more rows than a sheet may have, or XlsxWriter is not installed.
    """
    xlsxwriter = package("xlsxwriter", EXTRA)
    rows = list(rows)
    if len(rows) >= MAX_ROWS:
        raise TextFileError(f"a sheet has {MAX_ROWS:,} rows at most, and there are {len(rows) + 1:,}", "write CSV")
    file = io.BytesIO()
    options = {"in_memory": True, "remove_timezone": True, "default_date_format": "yyyy-mm-dd hh:mm:ss"}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for number, row in enumerate([[column.name for column in columns], *rows]):
            for at, cell in enumerate(row):
                if isinstance(cell, bool):
                    sheet.write_boolean(number, at, cell)
                elif isinstance(cell, int | float) and math.isfinite(cell) and abs(cell) <= _LARGEST:
                    sheet.write_number(number, at, cell)
                elif isinstance(cell, datetime):
                    sheet.write_datetime(number, at, cell)
                elif isinstance(cell, date):
                    sheet.write_datetime(number, at, cell, day)
                elif cell is not None:
                    sheet.write_string(number, at, written(cell))
    return file.getvalue()


def _read(cell: Any) -> Any:
    """A cell; Excel has no integers, and calamine no empty cells."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) <= _LARGEST:
        return int(cell)
    return None if cell == "" else cell


def _type(cells: Iterable[Any]) -> Any:
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {int, float}:
        return float
    return kinds.pop() if len(kinds) == 1 and kinds <= {int, float, bool, date, datetime} else str
