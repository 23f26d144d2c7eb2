"""Tables read from files, and written to them."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from models.text.files import read_bytes
from models.text.tables.delimited import read_delimited, write_delimited
from models.text.tables.excel import EXTRA as EXCEL
from models.text.tables.excel import read_excel, write_excel
from models.text.tables.parquet import EXTRA as PARQUET
from models.text.tables.parquet import read_parquet, write_parquet
from models.text.tables.table import Column, Style, Table, TableFormat, package

TABS = "\t"


def read_table(path: Path, form: TableFormat, encoding: str | None = None) -> Table:
    """The table of a file.

    Args:
        path: ``-`` for standard input.
        form: its format.
        encoding: of delimited text without a byte order mark; None for UTF-8.

    Raises:
        TextFileError: it cannot be read.
    """
    if form == "parquet":
        return read_parquet(path.name, read_bytes(path))
    if form == "xlsx":
        return read_excel(path.name, read_bytes(path))
    return read_delimited(path, encoding, TABS if form == "tsv" else None)


def table_bytes(
    form: TableFormat, columns: Sequence[Column], rows: Iterable[Sequence[Any]], style: Style | None = None
) -> bytes:
    """A table in a format; delimited text in a style, or by commas, or tabs, in UTF-8.

    Raises:
        TextFileError: it does not fit the format, or a package is not installed.
    """
    if form == "parquet":
        return write_parquet(columns, rows)
    if form == "xlsx":
        return write_excel(columns, rows)
    return write_delimited(columns, rows, style or Style(TABS if form == "tsv" else ","))


def packed(content: bytes, path: Path) -> bytes:
    """The content of a file, gzipped if its name ends in ``.gz``."""
    return gzip.compress(content) if path.name.lower().endswith(".gz") else content


def check_format(form: TableFormat) -> None:
    """Refuse a format that cannot be written.

    Raises:
        MissingExtraError: its package is not installed.
    """
    if form == "parquet":
        package("pyarrow", PARQUET)
    if form == "xlsx":
        package("xlsxwriter", EXCEL)
