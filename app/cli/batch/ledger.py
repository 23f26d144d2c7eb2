"""Ledger of a batch, on the disk beside its output: its job, and the length written of each file."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from app.web.codes import Code
from app.web.problems import Fault, ProblemError
from chainwright_client import Kind, Page
from models.text.atomic import write_atomically


class Written(BaseModel):
    """Length written of a file."""

    cursor: int = -1
    size: int = Field(default=0, description="bytes; what lies behind them in the file was not noted any more")
    lines: int = 0


class Notes(BaseModel):
    """Content of the file."""

    where: str = Field(description="URL of the service, or the embedded one's directory")
    digest: str = Field(description="of the lines and options")
    key: str = Field(description="idempotency key: submitted again with it, the job is the same")
    job: str | None = None
    results: Written = Field(default_factory=Written)
    errors: Written = Field(default_factory=Written)
    status: str | None = Field(default=None, description="the job's last, once all is written")


@dataclass
class Ledger:
    """The output of a batch.

    Attributes:
        output: file of results.
        notes: what is done.
        table: the output is a table made of the lines in the end; these lie beside it.
    """

    output: Path
    notes: Notes
    table: bool = False

    @classmethod
    def open(cls, output: Path, fresh: Notes, *, again: bool, table: bool = False) -> Ledger:
        """That of an earlier run of the same batch, else a new one.

        Args:
            output: file of results.
            fresh: of a batch that was never run.
            again: whether to forget an earlier run and its files.
            table: whether the output is a table.

        Raises:
            ProblemError: the output belongs to something else.
        """
        ledger = cls(output, fresh, table)
        if again:
            for path in (ledger.path, output, ledger.file("results"), ledger.file("errors")):
                path.unlink(missing_ok=True)
        if ledger.path.exists():
            ledger.notes = _read(ledger.path)
            if ledger.notes.job is None:  # it was never accepted
                ledger.notes = fresh
            if ledger.notes.digest != fresh.digest:
                raise _other(ledger.path, "it is of other requests: FILE or the options have changed since")
            if ledger.notes.where != fresh.where:
                raise _other(ledger.path, f"its job is at {ledger.notes.where}, not at {fresh.where}")
        elif found := next((path for path in (output, ledger.file("results")) if path.exists()), None):
            raise _other(found, "it is there already, and of no batch")
        ledger._cut("results")
        ledger._cut("errors")
        ledger.save()
        return ledger

    @property
    def path(self) -> Path:
        """Path of the ledger."""
        return self.output.with_name(f"{self.output.name}.job")

    def file(self, kind: Kind) -> Path:
        """Path of the lines of results or errors."""
        lines = self.output.with_name(f"{self.output.name}.jsonl") if self.table else self.output
        return lines if kind == "results" else lines.with_suffix(".errors.jsonl")

    def written(self, kind: Kind) -> Written:
        """Length written of that file."""
        return self.notes.results if kind == "results" else self.notes.errors

    def append(self, kind: Kind, page: Page) -> None:
        """Write lines, and then note that they are written."""
        written = self.written(kind)
        if page.content or kind == "results":
            with self.file(kind).open("ab") as file:
                file.write(page.content)
                file.flush()
                os.fsync(file.fileno())
        written.cursor = page.cursor
        written.size += len(page.content)
        written.lines += page.content.count(b"\n")
        self.save()

    def save(self) -> None:
        """Write the notes, whole or not at all."""
        write_atomically(self.path, self.notes.model_dump_json(indent=2))

    def _cut(self, kind: Kind) -> None:
        """Take from a file what was not noted any more; one that has less than was noted is written anew."""
        path, written = self.file(kind), self.written(kind)
        size = path.stat().st_size if path.exists() else 0
        if size < written.size:
            written.cursor, written.size, written.lines = -1, 0, 0
            self.notes.status = None
        if size > written.size:
            os.truncate(path, written.size)


def _read(path: Path) -> Notes:
    try:
        return Notes.model_validate_json(path.read_bytes())
    except ValidationError:
        raise _other(path, "it is damaged, or not of a batch") from None


def _other(path: Path, message: str) -> ProblemError:
    remedy = "name another file with -o, or forget what is there with --again"
    return ProblemError(409, [Fault(field=str(path), code=Code.CONFLICT, message=message, remedy=remedy)])
