"""Lines of a text file, plain or gzipped, read in blocks."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.retrieval.index.errors import RetrievalIndexError

BLOCK = 4 << 20
LONGEST = 1 << 20
"""Bytes that a line may have; of a longer one no more than a block is ever held."""

_TOO_LONG = f"longer than {LONGEST} bytes"


@dataclass(frozen=True)
class Block:
    """Consecutive lines.

    Attributes:
        first: number of the first line, from 1.
        body: the lines, LF between them.
        done: bytes of the file read so far, compressed ones if it is.
        cut: the first line is what remained of one too long.
    """

    first: int
    body: bytes
    done: int
    cut: bool

    def __len__(self) -> int:
        return self.body.count(b"\n") + 1

    def decoded(self) -> tuple[list[str], dict[int, str]]:
        """The lines, and what is wrong with some, by place; these are empty."""
        texts, faults = [], {0: _TOO_LONG} if self.cut else {}
        for at, line in enumerate(self.body.split(b"\n")):
            if len(line) > LONGEST:
                faults[at] = _TOO_LONG
            try:
                texts.append("" if at in faults else line.decode())
            except UnicodeDecodeError:
                texts.append("")
                faults[at] = "not UTF-8"
        return texts, faults


def read_lines(path: Path) -> Iterator[Block]:
    """Blocks of lines; memory is bounded by :data:`BLOCK` whatever the file holds.

    Lines end in LF or CRLF. A byte order mark is skipped.

    Raises:
        RetrievalIndexError: the file cannot be read, or its gzip data is damaged.
    """
    try:
        with path.open("rb") as raw:
            file = gzip.GzipFile(fileobj=raw) if path.suffix == ".gz" else raw
            number, rest, cut = 1, b"", False
            while True:
                chunk = file.read(BLOCK)
                data = rest + chunk
                end = data.rfind(b"\n") + 1 if chunk else len(data)
                body, rest = data[:end], data[end:]
                if body or (cut and not chunk):
                    body = body.removesuffix(b"\n")
                    if b"\r" in body:
                        body = body.replace(b"\r\n", b"\n").removesuffix(b"\r")
                    if number == 1:
                        body = body.removeprefix(b"\xef\xbb\xbf")
                    block = Block(number, body, raw.tell(), cut)
                    number += len(block)
                    cut = False
                    yield block
                if len(rest) > LONGEST:
                    rest, cut = b"", True
                if not chunk:
                    return
    except (OSError, EOFError, zlib.error) as error:
        raise RetrievalIndexError(f"{path} cannot be read: {error}") from error
