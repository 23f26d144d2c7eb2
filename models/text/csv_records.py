"""CSV records with the numbers of their lines, found again after a quote that never closes."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from models.text.files import Block, Line

SEPARATORS = ",;\t"
"""Of fields, the likelier first."""


class Record(NamedTuple):
    """A record, or the fault for which it cannot be read."""

    line: int  # where it begins
    fields: list[str]  # none if there is a fault
    fault: str | None
    done: int  # see models.text.files.Block


def separator_of(line: str) -> str:
    """The one that cuts a line into several fields; the comma if none does."""
    line = line[: csv.field_size_limit()]
    return next((one for one in SEPARATORS if len(next(csv.reader([line], delimiter=one), [])) > 1), SEPARATORS[0])


def read_records(blocks: Iterable[Block], separator: str | None = None) -> Iterator[Record]:
    """The records of lines; a blank line is one without fields.

    Fields are separated as the first line that is not blank has it, unless ``separator`` says.
    After a record that cannot be read, such as one whose quote never closes, reading goes on with the line
    after its first one. A field has at most ``csv.field_size_limit()`` characters, 131,072, which bounds the
    text behind an open quote.
    """
    lines = _Lines(blocks)
    separator = separator or lines.separator()
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        lines.begin()
        try:
            fields, fault = next(reader), None
        except StopIteration:
            return
        except csv.Error as error:
            fields, fault = [], _fault_of(error)
            reader = csv.reader(lines, delimiter=separator, strict=True)
        taken = lines.taken
        bad = next((line for line in taken if line.fault is not None), None)
        if fault is not None:
            yield Record(taken[0].number, [], taken[0].fault or fault, lines.done)
            lines.back_to_second()
        elif bad is not None:
            yield Record(bad.number, [], bad.fault, lines.done)
        else:
            yield Record(taken[0].number, fields, None, lines.done)


class _Lines:
    """Lines for a CSV reader, which can be given again after a record that failed."""

    def __init__(self, blocks: Iterable[Block]) -> None:
        self.done = 0
        self.taken: list[Line] = []
        self._again: deque[Line] = deque()
        self._rest = self._read(blocks)

    def _read(self, blocks: Iterable[Block]) -> Iterator[Line]:
        for block in blocks:
            texts, faults = block.decoded()
            self.done = block.done
            for at, text in enumerate(texts):
                yield Line(block.first + at, text, faults.get(at))

    def separator(self) -> str:
        """That of the first line that is not blank."""
        for line in self._rest:
            self._again.append(line)
            if line.text.strip():
                break
        return separator_of(self._again[-1].text if self._again else "")

    def begin(self) -> None:
        """Forget the lines taken so far."""
        self.taken = []

    def back_to_second(self) -> None:
        """Give all lines taken but the first one again."""
        self._again.extendleft(reversed(self.taken[1:]))

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._rest)
        self.taken.append(line)
        return f"{line.text}\n"


def _fault_of(error: csv.Error) -> str:
    text = str(error)
    if "unexpected end" in text:
        return "a quote opens that is never closed"
    if "field limit" in text:
        return f"a field has more than {csv.field_size_limit()} characters, or its quote is never closed"
    return f"not CSV: {text}"
