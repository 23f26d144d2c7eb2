"""The file of requests."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.web.codes import Code
from app.web.problems import Fault
from models.text.files import read_lines

LONGEST = 256 << 20
"""Bytes of a line: a job may be as large, and the service says what it takes."""

MOST_FAULTS = 20


class BadLinesError(Exception):
    """Lines that cannot be met.

    Attributes:
        faults: for each of them.
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = list(faults)
        super().__init__(f"{len(self.faults)} faults")


@dataclass(frozen=True)
class Source:
    """JSON Lines as they are sent.

    Attributes:
        content: the lines, blank ones left out.
        numbers: of the lines, or rows of a table, in the file, from 1.
        unit: what these number.
        columns: that fill fields of a body.
    """

    content: bytes
    numbers: Sequence[int]
    unit: str = "line"
    columns: Mapping[str, str] = field(default_factory=dict)

    def digest(self, *options: str) -> str:
        """Digest of the lines and the options."""
        state = hashlib.blake2b(self.content, digest_size=16)
        for option in options:
            state.update(b"\0" + option.encode())
        return state.hexdigest()

    def renumbered(self, fault: Fault) -> Fault:
        """A fault of the service, with the number that its line has in the file."""

        def in_file(found: re.Match[str]) -> str:
            number = int(found[1])
            where = f"{self.unit} {self.numbers[number - 1]}" if 0 < number <= len(self.numbers) else found[0]
            path = (found[2] or "").removeprefix("body.")
            filled = next((name for name in self.columns if re.match(rf"{re.escape(name)}(\W|$)", path)), None)
            if filled is not None:
                return f"{where}, column {self.columns[filled]}"
            return f"{where}: {found[2]}" if found[2] else where

        return fault.model_copy(update={"field": re.sub(r"^line (\d+)(?:: (.*))?$", in_file, fault.field)})


def read_source(file: Path, route: str | None, encoding: str | None = None) -> Source:
    """A file of items, or of bodies for one route.

    Args:
        file: see :func:`models.text.files.read_blocks`.
        route: for a file of bodies.
        encoding: of the file; None for UTF-8.

    Raises:
        BadLinesError: there are no lines, or one or a body cannot be read; items are read by the service.
        TextFileError: the file cannot be read.
    """
    found = [line for line in read_lines(file, encoding, longest=LONGEST) if line.fault or line.text.strip()]
    refuse_unread([(line.number, line.fault) for line in found if line.fault], "line")
    numbered = [(line.number, line.text.encode()) for line in found]
    if not numbered:
        raise nothing(file, "lines")
    lines = [line for _, line in numbered]
    if route is not None:
        lines = _items(numbered, route)
    return Source(b"".join(line + b"\n" for line in lines), [number for number, _ in numbered])


def refuse_unread(faults: Sequence[tuple[int, str]], unit: str) -> None:
    """Refuse lines or rows that cannot be read, given by number and fault.

    Raises:
        BadLinesError: there are some.
    """
    if faults:
        remedy = f"mend that {unit}, or take it out"
        found = [
            Fault(field=f"{unit} {number}", code=Code.MALFORMED, message=fault, remedy=remedy)
            for number, fault in faults
        ]
        raise BadLinesError(found[:MOST_FAULTS])


def nothing(file: Path, what: str) -> BadLinesError:
    """The error of a file without any request."""
    remedy = f"write one request in each of its {what}"
    return BadLinesError([Fault(field=str(file), code=Code.MISSING, message=f"there are no {what}", remedy=remedy)])


def _items(numbered: Sequence[tuple[int, bytes]], route: str) -> list[bytes]:
    items: list[bytes] = []
    faults: list[Fault] = []
    for number, line in numbered:
        try:
            item = json.dumps({"url": route, "body": json.loads(line)}, ensure_ascii=False)
            items.append(item.encode("utf-8", "backslashreplace"))
        except (ValueError, RecursionError) as error:
            fault = Fault(
                field=f"line {number}",
                code=Code.MALFORMED_JSON,
                message=f"it is not JSON: {error}",
                remedy="write one JSON object",
            )
            faults.append(fault)
    if faults:
        raise BadLinesError(faults)
    return items
