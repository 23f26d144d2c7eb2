"""Lines of a text file, plain or gzipped, read in blocks."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from models.retrieval.index.errors import IndexFault

BLOCK = 4 << 20
LONGEST = 1 << 20
"""Bytes that a line may have; of a longer one no more than a block is ever held."""


@dataclass
class Lines:
    """Consecutive lines.

    Attributes:
        first: number of the first line, from 1.
        texts: the lines without their ends; empty where ``faults`` names the line.
        done: bytes of the file read so far, compressed ones if it is.
        faults: what is wrong with a line, by its place in ``texts``.
    """

    first: int
    texts: list[str]
    done: int
    faults: dict[int, str] = field(default_factory=dict)


def read_lines(path: Path) -> Iterator[Lines]:
    """Blocks of lines; memory is bounded by :data:`BLOCK` whatever the file holds.

    Lines end in LF or CRLF. A byte order mark is skipped.

    Raises:
        IndexFault: the file cannot be read, or its gzip data is damaged.
    """
    try:
        with path.open("rb") as raw:
            packed = path.suffix == ".gz"
            file = gzip.GzipFile(fileobj=raw) if packed else raw
            number, rest, overlong = 1, b"", False
            while True:
                chunk = file.read(BLOCK)
                data = rest + chunk
                cut = data.rfind(b"\n") + 1 if chunk else len(data)
                body, rest = data[:cut], data[cut:]
                if body:
                    lines = _decode(body.removesuffix(b"\n").split(b"\n"), number, raw.tell(), overlong)
                    number += len(lines.texts)
                    overlong = False
                    yield lines
                if len(rest) > LONGEST:
                    rest, overlong = b"", True
                if not chunk:
                    if overlong:
                        yield Lines(number, [""], raw.tell(), {0: _TOO_LONG})
                    return
    except (OSError, EOFError, zlib.error) as error:
        raise IndexFault(f"{path} cannot be read: {error}") from error


_TOO_LONG = f"longer than {LONGEST} bytes"


def _decode(raw: list[bytes], first: int, done: int, overlong: bool) -> Lines:
    if first == 1:
        raw[0] = raw[0].removeprefix(b"\xef\xbb\xbf")
    faults: dict[int, str] = {0: _TOO_LONG} if overlong else {}
    if overlong:
        raw[0] = b""
    if max(map(len, raw)) > LONGEST:
        faults |= {at: _TOO_LONG for at, line in enumerate(raw) if len(line) > LONGEST}
        raw = [b"" if at in faults else line for at, line in enumerate(raw)]
    body = b"\n".join(raw)
    try:
        texts = body.decode().split("\n")
    except UnicodeDecodeError:
        texts = []
        for at, line in enumerate(raw):
            try:
                texts.append(line.decode())
            except UnicodeDecodeError:
                texts.append("")
                faults[at] = "not UTF-8"
    if b"\r" in body:
        texts = [text.removesuffix("\r") for text in texts]
    return Lines(first, texts, done, faults)
