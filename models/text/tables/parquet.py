"""Parquet, by pyarrow."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from models.text.files import TextFileError
from models.text.tables.table import Column, Table, package, written

EXTRA = "parquet"


def read_parquet(name: str, data: bytes) -> Table:
    """A table, with the types of its columns.

    Raises:
        TextFileError: it is no Parquet, or pyarrow is not installed.
    """
    arrow, parquet = package("pyarrow", EXTRA), package("pyarrow.parquet", EXTRA)
    try:
        table = parquet.read_table(io.BytesIO(data))
        cells = [column.to_pylist() for column in table.columns]
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise TextFileError(f"{name} is no Parquet that can be read: {first_line(error)}", "write it again") from error
    kept = [(number, row) for number, row in enumerate(zip(*cells, strict=True), 1) if any(c is not None for c in row)]
    columns = [Column(field.name, field.type) for field in table.schema]
    return Table(columns, [row for _, row in kept], [number for number, _ in kept])


def write_parquet(columns: Sequence[Column], rows: Iterable[Sequence[Any]]) -> bytes:
    """A table with typed columns; one whose cells do not fit its type is text.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    arrow, parquet = package("pyarrow", EXTRA), package("pyarrow.parquet", EXTRA)
    types = {str: "string", int: "int64", float: "float64", bool: "bool_", date: "date32"}
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    arrays = []
    for column, values in zip(columns, cells, strict=True):
        kind = arrow.timestamp("us") if column.type is datetime else column.type
        kind = getattr(arrow, types[kind])() if kind in types else kind
        try:
            arrays.append(arrow.array(values, kind))
        except (arrow.ArrowException, TypeError, ValueError, OverflowError):
            texts = [None if value is None else written(value) for value in values]
            arrays.append(arrow.array(texts, arrow.string()))
    file = io.BytesIO()
    parquet.write_table(arrow.Table.from_arrays(arrays, [column.name for column in columns]), file)
    return file.getvalue()


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return next(iter(str(error).splitlines()), type(error).__name__)
