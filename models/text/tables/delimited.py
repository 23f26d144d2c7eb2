"""Delimited text: CSV by commas or semicolons, and tabs."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from models.text.csv_records import read_records, separator_of
from models.text.files import read_blocks
from models.text.tables.table import Column, Style, Table, written

BYTE_ORDER_MARK = "\ufeff"
UTF_8_WITH_MARK = Style(mark=True)
"""Style of text that its own encoding does not hold."""


def read_delimited(path: Path, encoding: str | None, separator: str | None) -> Table:
    """A table whose first record names its columns; every cell is text.

    Args:
        path: see :func:`models.text.files.read_blocks`.
        encoding: of a file without a byte order mark; None for UTF-8.
        separator: of fields; None for the one that the first line has.

    Raises:
        TextFileError: the file cannot be read.
    """
    blocks = read_blocks(path, encoding)
    first = next(blocks, None)
    if first is None:
        return Table([], [], [])
    lines = (line for line in first.decoded()[0] if line.strip())
    separator = separator or separator_of(next(lines, ""))
    columns: list[Column] | None = None
    rows: list[list[str | None]] = []
    numbers: list[int] = []
    faults: list[tuple[int, str]] = []
    for record in read_records(chain([first], blocks), separator):
        fields = record.fields
        if record.fault is not None:
            faults.append((record.line, record.fault))
        elif not any(field.strip() for field in fields):
            continue
        elif columns is None:
            columns = [Column(name.strip()) for name in fields]
        elif any(fields[len(columns) :]):
            faults.append((record.line, f"{len(fields)} cells under a header of {len(columns)}"))
        else:
            rows.append([*fields[: len(columns)], *[None] * (len(columns) - len(fields))])
            numbers.append(record.line)
    known = "utf-8" if first.encoding == "UTF-8" else first.encoding
    return Table(columns or [], rows, numbers, "line", faults, Style(separator, known, first.mark))


def write_delimited(columns: Sequence[Column], rows: Iterable[Sequence[Any]], style: Style) -> bytes:
    """A table as text; in UTF-8 with a byte order mark where the style's encoding lacks a character."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=style.separator, lineterminator="\n")
    writer.writerow(column.name for column in columns)
    writer.writerows(map(written, row) for row in rows)
    try:
        return _encoded(text.getvalue(), style)
    except UnicodeEncodeError:
        return _encoded(text.getvalue(), UTF_8_WITH_MARK)


def _encoded(text: str, style: Style) -> bytes:
    return f"{BYTE_ORDER_MARK if style.mark else ''}{text}".encode(style.encoding)
