"""Tables of a batch: rows that become requests, and the same rows with what came of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from app.cli.batch.cells import Mapped, mapped
from app.cli.batch.source import Source, nothing, refuse_unread
from app.jobs.table import ERROR, Answers, Row
from app.tasks.registry import TASKS, task_at
from app.web.codes import Code
from app.web.problems import invalid
from chainwright_client import Kind
from models.text.atomic import write_atomically
from models.text.tables.files import packed, read_table, table_bytes
from models.text.tables.table import Column, Style, Table, TableFormat, format_of

FileFormat = Literal["jsonl", "csv", "tsv", "parquet", "xlsx"]

KINDS: tuple[Kind, Kind] = ("results", "errors")
SECOND = "result_"
"""Goes before the name of a column of results that the table has itself."""


@dataclass(frozen=True)
class Formats:
    """Formats of a batch's files; None for JSON Lines."""

    given: TableFormat | None
    output: TableFormat | None

    @classmethod
    def of(cls, file: Path, output: Path, chosen: FileFormat | None) -> Formats:
        """What the names tell; ``chosen`` is that of the requests, and of results whose file's name tells nothing.

        Results of a table are a table, and lines of JSON where their file's name ends in ``.jsonl``.
        """
        given = format_of(file) if chosen is None else None if chosen == "jsonl" else chosen
        lines = output.suffix.lower() in (".jsonl", ".ndjson")
        return cls(given, None if lines else format_of(output) or given)


@dataclass(frozen=True)
class Carried:
    """Columns and rows of the requests, which come back beside the results."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    style: Style | None = None

    @classmethod
    def of_lines(cls, source: Source) -> Carried:
        """The names of items, numbered where they have none."""
        rows = [[_name(line) or f"item-{at}"] for at, line in enumerate(source.content.split(b"\n")[:-1])]
        return cls([Column("custom_id")], rows)


def read_rows(
    file: Path,
    form: TableFormat,
    encoding: str | None,
    route: str | None,
    fields: Sequence[str],
    constants: Sequence[str],
) -> tuple[Source, Carried]:
    """A table whose rows become items for one route, by default that of the first task.

    Args:
        file: see :func:`models.text.tables.files.read_table`.
        fields, constants: see :func:`app.cli.batch.cells.mapped`.

    Raises:
        BadLinesError: there are no rows, or one cannot be read.
        ProblemError: 422, no task has this route, or the options name what is not there.
        TextFileError: the file cannot be read.
    """
    route = route or TASKS[0].path
    table = read_table(file, form, encoding)
    refuse_unread(table.faults, table.unit)
    if not table.rows:
        raise nothing(file, "rows")
    fill = mapped(type(task_at(route)), table.columns, fields, constants)
    items = (json.dumps({"url": route, "body": fill.body(row)}, ensure_ascii=False) for row in table.rows)
    content = b"".join(item.encode("utf-8", "backslashreplace") + b"\n" for item in items)
    return Source(content, table.numbers, table.unit, _named(fill, table)), Carried(
        table.columns, table.rows, table.style
    )


def refuse_options(fields: Sequence[str], constants: Sequence[str]) -> None:
    """Refuse options of tables for a file that is none.

    Raises:
        ProblemError: 422.
    """
    if fields or constants:
        flag = "--map" if fields else "--set"
        remedy = "give a table (.csv, .tsv, .parquet, .xlsx), or say by --format that FILE is one"
        raise invalid(flag, Code.CONTRADICTORY, "FILE is JSON Lines, which have no columns", remedy)


def write_results(output: Path, form: TableFormat, carried: Carried, lines: Iterable[Path]) -> None:
    """Write the rows with their results and errors, in their order, whole or not at all.

    Args:
        lines: files of results and of errors.

    Raises:
        OSError: a file cannot be read or written.
        TextFileError: the table does not fit its format.
    """
    answers = Answers()
    for path in lines:
        if path.exists():
            with path.open("rb") as file:
                answers.add(file)
    found = {row.number: row for row in answers.rows}
    columns = answers.columns
    rows = [[*row, *_cells(found.get(at), columns)] for at, row in enumerate(carried.rows)]
    content = table_bytes(form, [*carried.columns, *_renamed(columns, carried.columns)], rows, _style(form, carried))
    write_atomically(output, packed(content, output))


def _cells(row: Row | None, columns: Iterable[Column]) -> list[Any]:
    cells = {ERROR: "it has no result"} if row is None else row.cells
    return [cells.get(column.name) for column in columns]


def _renamed(columns: Iterable[Column], taken: Sequence[Column]) -> list[Column]:
    """Columns of results under names that the table has not."""
    names = {column.name for column in taken}
    renamed = []
    for name, kind in columns:
        while name in names:
            name = f"{SECOND}{name}"
        names.add(name)
        renamed.append(Column(name, kind))
    return renamed


def _style(form: TableFormat, carried: Carried) -> Style | None:
    """The style of the requests for the results, tabs aside, which go by the format."""
    if carried.style is None or form not in ("csv", "tsv"):
        return None
    tabs = carried.style.separator == "\t"
    return carried.style if tabs == (form == "tsv") else Style("\t" if form == "tsv" else ",")


def _named(fill: Mapped, table: Table) -> dict[str, str]:
    return {name: table.columns[at].name for name, at in fill.columns.items()}


def _name(line: bytes) -> str | None:
    """The name of an item, if it can be read and has one."""
    try:
        item = json.loads(line)
    except ValueError:
        return None
    name = item.get("custom_id") if isinstance(item, dict) else None
    return name if isinstance(name, str) else None
