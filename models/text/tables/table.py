"""A table: columns, rows, and how its file was written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, Literal, NamedTuple

from models.text.files import TextFileError

TableFormat = Literal["csv", "tsv", "parquet", "xlsx"]

_BY_SUFFIX: dict[str, TableFormat] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".parquet": "parquet",
    ".xlsx": "xlsx",
}


class MissingExtraError(TextFileError):
    """A format needs a package that is not installed."""


class Column(NamedTuple):
    """A column.

    Attributes:
        type: str, int, float, bool, date or datetime, whose cells may also be None; or a type of pyarrow's.
    """

    name: str
    type: Any = str


@dataclass(frozen=True, slots=True)
class Style:
    """How delimited text is written: what separates fields, the encoding, and whether a byte order mark goes before."""

    separator: str = ","
    encoding: str = "utf-8"
    mark: bool = False


@dataclass(frozen=True)
class Table:
    """A table that was read.

    Attributes:
        rows: cells in the order of the columns; a row without any cell is left out.
        numbers: of the rows in the file, from 1, the header counted where there is one.
        unit: what these number: a line or a row.
        faults: number and fault of each row that cannot be read.
        style: None for a file that is no text.
    """

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    numbers: Sequence[int]
    unit: str = "row"
    faults: Sequence[tuple[int, str]] = field(default=())
    style: Style | None = None


def format_of(path: Path) -> TableFormat | None:
    """The format that a file's name tells, ``.gz`` at its end aside; None if it is that of no table."""
    return _BY_SUFFIX.get(Path(path.name.lower().removesuffix(".gz")).suffix)


def written(cell: Any) -> str:
    """A cell as text, half a surrogate pair escaped."""
    if cell is None:
        return ""
    if isinstance(cell, datetime | date):
        return cell.isoformat()
    if isinstance(cell, bool | list | dict):
        return json.dumps(cell, ensure_ascii=False, default=str)
    return str(cell).encode("utf-8", "backslashreplace").decode()


def package(name: str, extra: str) -> Any:
    """A module of an extra.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        return import_module(name)
    except ImportError as error:
        missing = name.partition(".")[0]
        raise MissingExtraError(f"{missing} is not installed", f"pip install 'chainwright[{extra}]'") from error
