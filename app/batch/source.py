"""The file of requests."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.codes import Code
from app.problems import Fault


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
        numbers: of the lines in the file, from 1.
    """

    content: bytes
    numbers: list[int]

    def digest(self, *options: str) -> str:
        """Of the lines and of options."""
        state = hashlib.blake2b(self.content, digest_size=16)
        for option in options:
            state.update(b"\0" + option.encode())
        return state.hexdigest()

    def renumbered(self, fault: Fault) -> Fault:
        """A fault of the service, with the number that its line has in the file."""

        def in_file(found: re.Match[str]) -> str:
            number = int(found[1])
            return f"line {self.numbers[number - 1]}" if 0 < number <= len(self.numbers) else found[0]

        return fault.model_copy(update={"field": re.sub(r"^line (\d+)", in_file, fault.field)})


def read_source(file: Path, route: str | None) -> Source:
    """A file of items, or of bodies for one route.

    Raises:
        BadLinesError: there are no lines, or a body cannot be read; items are read by the service.
    """
    numbered = [(number, line) for number, line in enumerate(file.read_bytes().split(b"\n"), 1) if line.strip()]
    if not numbered:
        raise BadLinesError(
            [Fault(field=str(file), code=Code.MISSING, message="there are no lines", remedy="write one request a line")]
        )
    lines = [line for _, line in numbered]
    if route is not None:
        lines = _items(numbered, route)
    return Source(b"".join(line + b"\n" for line in lines), [number for number, _ in numbered])


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
