"""Lines of results and errors as a table, one row an item."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from app.tasks.registry import task_of
from app.tasks.task import Cell, Task
from app.web.codes import Code
from app.web.media import LINES
from app.web.problems import invalid
from models.text.files import TextFileError
from models.text.tables.files import check_format, table_bytes
from models.text.tables.table import Column

LineFormat = Literal["jsonl", "csv", "parquet"]
"""Formats of results over HTTP; the tables among them are of :data:`models.text.tables.table.TableFormat`."""

ERROR = "error"
"""Column of an item without an answer, which has its message."""


class Row(NamedTuple):
    """A row: the item's number and name, and its cells by column."""

    number: int
    custom_id: str
    cells: dict[str, Cell]


@dataclass
class Answers:
    """Rows of lines, and the columns of the tasks that they are of.

    Attributes:
        rows: in the order of the lines.
    """

    rows: list[Row] = field(default_factory=list)
    _types: dict[str, type] = field(default_factory=dict)

    def add(self, lines: Iterable[str | bytes]) -> None:
        """Take lines; keep it off the event loop where they are many."""
        self.rows += map(self._row, lines)

    def _row(self, line: str | bytes) -> Row:
        found: dict[str, Any] = json.loads(line)
        number = int(found["id"].rpartition("-")[2])
        if found["error"] is not None:
            return Row(number, found["custom_id"], {ERROR: found["error"]["message"]})
        body = found["response"]["body"]
        task = task_of(body) or Task
        self._types |= task.columns
        return Row(number, found["custom_id"], task.row(body))

    @property
    def columns(self) -> list[Column]:
        """Columns of the answers so far, and of their errors."""
        return [*(Column(name, kind) for name, kind in self._types.items()), Column(ERROR)]

    def table(self) -> tuple[Sequence[Column], Sequence[Sequence[Cell]]]:
        """Columns and rows, the items' names first."""
        columns = self.columns
        rows = [[row.custom_id, *(row.cells.get(column.name) for column in columns)] for row in self.rows]
        return [Column("custom_id"), *columns], rows


def accepted_format(accept: str) -> LineFormat:
    """The first format that an ``Accept`` header names; JSON Lines if it names none, or anything will do."""
    named: dict[str, LineFormat] = {"text/csv": "csv", "application/vnd.apache.parquet": "parquet"}
    for part in accept.lower().split(","):
        kind = part.split(";")[0].strip()
        if kind in named:
            return named[kind]
        if kind in LINES or kind == "*/*":
            break
    return "jsonl"


def check_line_format(form: LineFormat) -> None:
    """Refuse a format that this service cannot write.

    Raises:
        ProblemError: 422.
    """
    if form != "jsonl":
        try:
            check_format(form)
        except TextFileError as error:
            message = f"this service writes no {form}: {error.message}"
            raise invalid(
                "format", Code.UNAVAILABLE, message, f"take csv, or have it installed: {error.remedy}"
            ) from None


async def table_of(parts: AsyncIterable[bytes], form: Literal["csv", "parquet"]) -> bytes:
    """The table of lines that come in parts."""
    answers = Answers()
    async for part in parts:
        await asyncio.to_thread(answers.add, part.split(b"\n")[:-1])
    return await asyncio.to_thread(lambda: table_bytes(form, *answers.table()))
