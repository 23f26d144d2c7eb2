"""CSV records with the numbers of their lines, found again after a quote that never closes."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from models.text.files import Block, Line
from models.text.normalisation import normalise_name

Header = tuple[int, ...]
"""Number of the field of each column of a source."""

_NAMES = (
    {"subject", "entity", "head", "s", "主语", "主体", "实体", "实体名", "实体名称", "头实体"},
    {"predicate", "attribute", "property", "relation", "p", "谓语", "谓词", "属性", "属性名", "关系"},
    {"object", "value", "tail", "o", "宾语", "客体", "值", "属性值", "尾实体"},
)
_KEYS = {"key", "name", "alias", "键", "名称", "别名"}
_VALUES = {"value", "values", "subject", "entity", "值", "主语", "实体"}
_SEPARATORS = ",;"


class Record(NamedTuple):
    """A record, or the fault for which it cannot be read."""

    line: int  # where it begins
    fields: list[str]  # none if there is a fault
    fault: str | None
    done: int  # see models.text.files.Block


def header_of(fields: Sequence[str]) -> Header | None:
    """The order of the fields if they are a header's, in upper or lower case."""
    names = [normalise_name(field).casefold() for field in fields]
    for columns in (_NAMES, (_KEYS, _VALUES)):
        places = [[at for at, name in enumerate(names) if name in column] for column in columns]
        if len(names) == len(columns) and all(len(one) == 1 for one in places):
            return tuple(one[0] for one in places)
    return None


def read_records(blocks: Iterable[Block]) -> Iterator[Record]:
    """The records of lines; a blank line is one without fields.

    After a record that cannot be read, such as one whose quote never closes, reading goes on with the line
    after its first one. A field has at most ``csv.field_size_limit()`` characters, 131,072, which bounds the
    text behind an open quote.
    """
    lines = _Lines(blocks)
    separator = lines.separator()
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
        """The one that cuts the first line that is not blank into several fields; the comma if none does."""
        for line in self._rest:
            self._again.append(line)
            if line.text.strip():
                break
        text = self._again[-1].text if self._again else ""
        return next((one for one in _SEPARATORS if len(next(csv.reader([text], delimiter=one), [])) > 1), ",")

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
