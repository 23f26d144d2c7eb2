"""Sources of keys and values: tab-separated lines, JSON Lines, CSV, records in memory."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from models.retrieval.index.csv_header import Header, header_of
from models.retrieval.index.key_format import join_entity, split_entity
from models.retrieval.index.report import Report
from models.text.csv_records import read_records
from models.text.files import BLOCK_BYTES, Block, read_blocks
from models.text.normalisation import normalise_name

_COLUMNS = {1: ("key", "value"), 2: ("subject", "predicate", "object")}
"""Names of columns, by the fields of a key."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Pairs of key and value."""

    columns: Sequence[Sequence[bytes]]  # the key's fields, then the value, in UTF-8; lists of one length
    lines: Sequence[int]  # the line of each pair
    done: int  # bytes of the source read so far


Row = tuple[Sequence[str], int, int]
"""A key's fields and its value, the line that they stand in, and the bytes of the source read by then."""


class Source(Protocol):
    """Pairs of key and value, read once, in bounded memory."""

    @property
    def name(self) -> str:
        """Its name in messages."""
        ...

    @property
    def size(self) -> int:
        """Bytes to be read, as :attr:`Batch.done` counts them; 0 if not known."""
        ...

    def batches(self, fields: int, report: Report) -> Iterator[Batch]:
        """All pairs with ``fields`` fields a key; lines that cannot be read go to the report."""
        ...


@dataclass(frozen=True)
class TextFile:
    """A text file; for its attributes see :func:`models.text.files.read_blocks`."""

    path: Path
    encoding: str | None = None
    most: int | None = None

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def size(self) -> int:
        """Its bytes; 0 if it has no size, for a reason that reading it will show."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def blocks(self, report: Report) -> Iterator[Block]:
        """Its lines, counted."""
        for block in read_blocks(self.path, self.encoding, most=self.most):
            report.lines += len(block)
            yield block


@dataclass(frozen=True)
class Tabbed(TextFile):
    """Lines ``key<TAB>value`` or ``entity<TAB>predicate<TAB>object``, as KgCLUE's Knowledge.txt."""

    def batches(self, fields: int, report: Report) -> Iterator[Batch]:
        """See :class:`Source`. A line of more or fewer columns, or with an empty one, is malformed."""
        names = _COLUMNS[fields]
        for block in self.blocks(report):
            numbers = range(block.first, block.first + len(block))
            if _regular(block, len(names)):
                cells = block.body.replace(b"\n", b"\t").split(b"\t")
                yield Batch([cells[column :: len(names)] for column in range(len(names))], numbers, block.done)
            else:
                yield self._line_by_line(block, names, report)

    def _line_by_line(self, block: Block, names: tuple[str, ...], report: Report) -> Batch:
        texts, faults = block.decoded()
        rows, numbers = [], []
        for at, text in enumerate(texts):
            row = text.split("\t")
            fault = faults.get(at)
            if fault is None and len(row) == 1 and not normalise_name(text):
                report.blank += 1
                continue
            if fault := fault or _fault_of(row, names, "tab-separated columns"):
                report.refuse(self.name, block.first + at, fault)
                continue
            rows.append(tuple(cell.encode() for cell in row))
            numbers.append(block.first + at)
        return _batch(rows, len(names), numbers, block.done)


def _regular(block: Block, columns: int) -> bool:
    """Whether every line has its columns, none empty, and all can be read: then a block is split at once."""
    if block.cut or not block.readable:
        return False
    text = np.frombuffer(block.body, np.uint8)
    marks = np.flatnonzero((text == ord("\t")) | (text == ord("\n")))
    bounds = np.concatenate([[-1], marks, [len(text)]])
    if (len(marks) + 1) % columns or np.diff(bounds).min() < 2:
        return False
    kinds = np.append(text[marks], ord("\n")).reshape(-1, columns) == ord("\n")
    ended = not kinds[:, :-1].any() and kinds[:, -1].all()
    return bool(ended and np.diff(bounds[::columns]).max() <= block.longest)


def _fault_of(row: Sequence[str], names: Sequence[str], columns: str) -> str | None:
    """The fault of a row of other columns than these, or of empty ones."""
    if len(row) != len(names):
        return f"{len(row)} {columns}; {len(names)} are due: {', '.join(names)}"
    return f"the {names[row.index('')]} is empty" if "" in row else None


def in_batches(rows: Iterable[Row], columns: int) -> Iterator[Batch]:
    """Batches of rows, each of some megabytes at most."""
    cells: list[tuple[bytes, ...]] = []
    numbers: list[int] = []
    size, done = 0, 0
    for row, number, done in rows:
        cells.append(tuple(cell.encode() for cell in row))
        numbers.append(number)
        size += sum(map(len, row))
        if size > BLOCK_BYTES:
            yield _batch(cells, columns, numbers, done)
            cells, numbers, size = [], [], 0
    yield _batch(cells, columns, numbers, done)


def _batch(rows: Sequence[tuple[bytes, ...]], columns: int, lines: Sequence[int], done: int) -> Batch:
    return Batch(list(zip(*rows, strict=True)) or [()] * columns, lines, done)


@dataclass(frozen=True)
class JsonLines(TextFile):
    """One JSON object a line.

    For plain keys ``key`` and ``value`` (a string) or ``values`` (a list of them); for triples
    ``subject``, ``predicate`` and ``object`` or ``objects``, and perhaps ``meaning``, without which
    the subject is read as :func:`split_entity` does.
    """

    def batches(self, fields: int, report: Report) -> Iterator[Batch]:
        """See :class:`Source`. Members of other names are malformed: they may be a misspelling."""
        for block in self.blocks(report):
            texts, faults = block.decoded()
            rows: list[tuple[bytes, ...]] = []
            numbers: list[int] = []
            for at, text in enumerate(texts):
                try:
                    if at in faults:
                        raise ValueError(faults[at])
                    if not normalise_name(text):
                        report.blank += 1
                        continue
                    found = _pairs(text, fields)
                except ValueError as error:
                    report.refuse(self.name, block.first + at, str(error))
                    continue
                rows += found
                numbers += [block.first + at] * len(found)
            yield _batch(rows, fields + 1, numbers, block.done)


@dataclass(frozen=True)
class CommaSeparated(TextFile):
    """CSV records of key and value, or entity, predicate and object, perhaps under a header.

    Fields are separated by commas, or by semicolons or tabs if the first record has none. The header's names may
    stand in another order (:func:`models.retrieval.index.csv_records.header_of`).
    """

    def batches(self, fields: int, report: Report) -> Iterator[Batch]:
        """See :class:`Source`. A record of more or fewer fields, or with an empty one, is malformed."""
        return in_batches(self._rows(_COLUMNS[fields], report), fields + 1)

    def _rows(self, names: tuple[str, ...], report: Report) -> Iterator[Row]:
        header: Header | None = None
        first = True
        for record in read_records(self.blocks(report)):
            fault, row = record.fault, record.fields
            if fault is None and not any(map(normalise_name, row)) and len(row) < 2:
                report.blank += 1
                continue
            if fault is None and first:
                first, header = False, header_of(row)
                if header is not None and len(header) == len(names):
                    continue
                header = None
            if fault := fault or _fault_of(row, names, "fields"):
                report.refuse(self.name, record.line, fault)
                continue
            yield [row[at] for at in header or range(len(names))], record.line, record.done


@dataclass(frozen=True)
class Records:
    """Pairs from memory or a generator; the number of a record stands for that of a line."""

    records: Iterable[Sequence[str]]  # the key's fields and then the value; an entity may carry its meaning
    name: str = "records"
    size: int = field(default=0, init=False)

    def batches(self, fields: int, report: Report) -> Iterator[Batch]:
        """See :class:`Source`."""
        records, number = iter(self.records), 0
        while chunk := list(islice(records, 50_000)):
            rows, numbers = [], []
            for record in chunk:
                number += 1
                try:
                    if len(record) != fields + 1:
                        raise ValueError(f"{len(record)} fields; {fields + 1} are due")
                    row = tuple(_text(text, "field") for text in record)
                except ValueError as error:
                    report.refuse(self.name, number, str(error))
                    continue
                rows.append(row)
                numbers.append(number)
            report.lines += len(chunk)
            yield _batch(rows, fields + 1, numbers, 0)


def _pairs(line: str, fields: int) -> list[tuple[bytes, ...]]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(record, dict):
        raise ValueError("not a JSON object")
    names = _COLUMNS[fields]
    one, many = names[-1], names[-1] + "s"
    if unknown := set(record) - {*names, many} - ({"meaning"} if fields == 2 else set()):
        raise ValueError(f"unknown members {sorted(unknown)}")
    if (one in record) == (many in record):
        raise ValueError(f"either {one} or {many} is due")
    key = [_text(record.get(name), name) for name in names[:-1]]
    if record.get("meaning"):
        _text(record["meaning"], "meaning")
        subject, meaning = normalise_name(record["subject"]), normalise_name(record["meaning"])
        joined = join_entity(record["subject"], record["meaning"])
        if split_entity(join_entity(subject, meaning)) != (subject, meaning):
            raise ValueError("the brackets （） of the meaning are not balanced")
        key[0] = joined.encode()
    values = record[many] if many in record else [record[one]]
    if not isinstance(values, list) or not values:
        raise ValueError(f"{many} must be a list of strings, not empty")
    return [(*key, _text(value, one)) for value in values]


def _text(value: Any, name: str) -> bytes:
    if not isinstance(value, str) or not value:
        raise ValueError(f"the {name} must be a string, not empty")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the {name} holds half a surrogate pair") from error
