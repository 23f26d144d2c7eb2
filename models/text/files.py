"""Text files: lines in any usual encoding, plain or gzipped, read in blocks of bounded size."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, NamedTuple

from models.text.encodings import (
    BYTE_ORDER_MARKS,
    codec_of,
    guess,
    guess_without_mark,
    incremental_decoder,
)

BLOCK_BYTES = 4 << 20
MAX_LINE_BYTES = 1 << 20
"""Bytes that a line may have, in UTF-8; of a longer one no more than a block is ever held."""

STANDARD_INPUT = Path("-")

_GZIP_MAGIC = b"\x1f\x8b"
_OTHER_FORMATS = (
    (0, b"PK\x03\x04", "a ZIP archive, or a workbook"),
    (4, b"1AY&SY", "compressed by bzip2"),
    (0, b"\xfd7zXZ\0", "compressed by xz"),
    (0, b"\x28\xb5\x2f\xfd", "compressed by zstd"),
    (0, b"%PDF-", "a PDF"),
)
_SAMPLE_BYTES = 64 << 10
_MAX_UNREADABLE_LINES = 1000
"""Unreadable lines after which a file is judged before its end."""


class TextFileError(RuntimeError):
    """A file cannot be read as text; the error has a message and a remedy."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(f"{message}; {remedy}")
        self.message = message
        self.remedy = remedy


class WrongEncodingError(TextFileError):
    """A file is in another encoding than it was read in."""


class UnknownEncodingError(TextFileError):
    """No text encoding has this name."""


@dataclass(frozen=True)
class Block:
    """Consecutive lines.

    Attributes:
        first: number of the first line, from 1.
        body: the lines, LF between them, in UTF-8 where they could be read.
        done: bytes of the file read so far, compressed ones if it is; 0 if it cannot tell.
        cut: the first line is the end of one too long.
        readable: all of the body is UTF-8.
        longest: bytes that a line may have.
        encoding: in which the file is read.
        mark: the file begins with a byte order mark.
    """

    first: int
    body: bytes
    done: int
    cut: bool
    readable: bool
    longest: int
    encoding: str
    mark: bool

    def __len__(self) -> int:
        return self.body.count(b"\n") + 1

    def decoded(self) -> tuple[list[str], dict[int, str]]:
        """The lines, and the faults of some, by place; these are empty."""
        too_long = f"longer than {self.longest} bytes"
        texts, faults = [], {0: too_long} if self.cut else {}
        for at, line in enumerate(self.body.split(b"\n")):
            if len(line) > self.longest:
                faults[at] = too_long
            try:
                texts.append("" if at in faults else line.decode())
            except UnicodeDecodeError:
                texts.append("")
                faults[at] = f"not {self.encoding}"
        return texts, faults


class Line(NamedTuple):
    """A line of a file; its text is empty if there is a fault."""

    number: int
    text: str
    fault: str | None


def read_lines(path: Path, encoding: str | None = None, *, longest: int = MAX_LINE_BYTES) -> Iterator[Line]:
    """The lines of a file, one by one; see :func:`read_blocks`."""
    for block in read_blocks(path, encoding, longest=longest):
        texts, faults = block.decoded()
        for at, text in enumerate(texts):
            yield Line(block.first + at, text, faults.get(at))


def read_blocks(
    path: Path, encoding: str | None = None, *, longest: int = MAX_LINE_BYTES, most: int | None = None
) -> Iterator[Block]:
    """Blocks of lines; memory is bounded by :data:`BLOCK_BYTES` and ``longest`` whatever the file holds.

    Gzip is known by its first bytes. A byte order mark tells the encoding, whatever else is said; without
    one and without ``encoding`` it is UTF-8. Lines end in LF, CR LF or CR, and in nothing else. A line that
    cannot be read has a fault of its own, but where these are most of what is not plain ASCII, and some
    encoding fits them, the file is in that one.

    Args:
        path: the file; ``-`` for standard input.
        encoding: its name, for a file without a byte order mark.
        longest: bytes that a line may have.
        most: bytes that the file may have, unpacked.

    Raises:
        TextFileError: no such encoding, or the file cannot be read, or not in this encoding.
    """
    with _opened(path) as raw:
        packed = raw.peek(2)[:2] == _GZIP_MAGIC  # type: ignore[attr-defined]
        file: BinaryIO = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
        head = file.read(len(BYTE_ORDER_MARKS[1][0]))
        chosen, mark = _encoding(path, encoding, head)
        head = head[len(mark) :]
        decoder = None if chosen == "utf-8" else incremental_decoder(chosen)
        evidence = _Evidence(path, None if chosen == "utf-8" else chosen)
        number, rest, cut, held, size, beginning = 1, b"", False, b"", 0, True
        while True:
            read = file.read(BLOCK_BYTES)
            data, head, last = head + read, b"", len(read) < BLOCK_BYTES
            size += len(data)
            if most is not None and size > most:
                raise TextFileError(f"{path.name} has more than {most} bytes when unpacked", "split it")
            if beginning and not mark and encoding is None:
                _check_is_text(path, data)
            if decoder is not None:
                text = decoder.decode(data, last)
                if beginning and not mark:
                    text = text.removeprefix("\ufeff")
                data = text.encode("utf-8", "surrogatepass")
            beginning = False
            # A CR at the end of what was read may be half of a CR LF.
            data = held + data
            held = b"\r" if data.endswith(b"\r") and not last else b""
            data = rest + data.removesuffix(held)
            if b"\r" in data:
                data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            end = len(data) if last else data.rfind(b"\n") + 1
            body, rest = data[:end], data[end:]
            if body or (cut and last):
                body = body.removesuffix(b"\n")
                readable = evidence.take(body)
                if last or evidence.unreadable > _MAX_UNREADABLE_LINES:
                    evidence.judge()
                done = raw.tell() if raw.seekable() else 0
                block = Block(number, body, done, cut, readable, longest, evidence.name, bool(mark))
                number += len(block)
                cut = False
                yield block
            if len(rest) > longest:
                rest, cut = b"", True
            if last:
                return


def read_bytes(path: Path) -> bytes:
    """All of a file that is no text; ``-`` for standard input.

    Raises:
        TextFileError: it cannot be read.
    """
    with _opened(path) as file:
        return file.read()


def check_encoding(name: str) -> str:
    """The codec of an encoding.

    Raises:
        TextFileError: there is none.
    """
    try:
        return codec_of(name)
    except LookupError as error:
        raise UnknownEncodingError(
            str(error), "name one such as utf-8, gbk, big5, shift_jis, utf-16 or cp1252"
        ) from error


@dataclass
class _Evidence:
    """Evidence for or against the encoding in which a file is read.

    Attributes:
        codec: None for UTF-8, which nobody named.
        plain, readable, unreadable: lines of ASCII alone, others that could be read, and the rest.
        sample: some unreadable lines.
    """

    path: Path
    codec: str | None
    plain: int = 0
    readable: int = 0
    unreadable: int = 0
    sample: bytearray = field(default_factory=bytearray)

    @property
    def name(self) -> str:
        """Name of the encoding."""
        return self.codec or "UTF-8"

    def take(self, body: bytes) -> bool:
        """Look at a block's lines; whether all can be read."""
        if _is_utf_8(body):
            lines = body.count(b"\n") + 1
            if body.isascii():
                self.plain += lines
            else:
                self.readable += lines
            return True
        for line in body.split(b"\n"):
            if not _is_utf_8(line):
                self.unreadable += 1
                if len(self.sample) < _SAMPLE_BYTES:
                    self.sample += line[:_SAMPLE_BYTES] + b"\n"
            elif line.isascii():
                self.plain += bool(line)
            else:
                self.readable += 1
        return False

    def judge(self) -> None:
        """Refuse a file in another encoding.

        Raises:
            TextFileError: it is in another one.
        """
        if self.unreadable <= self.readable:
            return
        lines = "1 line" if self.unreadable == 1 else f"{self.unreadable:,} lines"
        if self.codec is not None:
            raise WrongEncodingError(
                f"{self.path.name} is not {self.codec}: {lines} cannot be read so",
                "name another encoding, or leave it out for UTF-8",
            )
        likely = guess(bytes(self.sample))
        if likely is not None:
            raise WrongEncodingError(
                f"{self.path.name} is not UTF-8: {lines} cannot be read, and may be {likely}",
                f"say so by --encoding {likely} (over HTTP by encoding={likely}), or save the file as UTF-8",
            )
        if self.unreadable > self.plain:
            raise WrongEncodingError(
                f"{self.path.name} is not UTF-8, nor in an encoding that is easily told",
                "name its encoding by --encoding (over HTTP by encoding=), or save the file as UTF-8",
            )


def _is_utf_8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _encoding(path: Path, given: str | None, head: bytes) -> tuple[str, bytes]:
    """The codec of a file, and the byte order mark that it begins with."""
    codec = "utf-8" if given is None else check_encoding(given)
    for mark, name in BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return name, mark
    return codec, b""


def _check_is_text(path: Path, data: bytes) -> None:
    for at, magic, kind in _OTHER_FORMATS:
        if data[at:].startswith(magic):
            raise TextFileError(f"{path.name} is no text: it is {kind}", "unpack it, or save it as text, CSV say")
    if data.count(0) * 100 <= len(data):
        return
    likely = guess_without_mark(data)
    if likely is None:
        raise TextFileError(f"{path.name} is no text: it is full of zero bytes", "save it as text, CSV say")
    raise WrongEncodingError(
        f"{path.name} looks like {likely} without a byte order mark",
        f"say so by --encoding {likely} (over HTTP by encoding={likely}), or save the file as UTF-8",
    )


_SYSTEM_ERRORS: dict[type[OSError], tuple[str, str]] = {
    FileNotFoundError: ("there is no such file", "check its name"),
    IsADirectoryError: ("it is a folder", "name a file in it"),
    PermissionError: ("this user may not", "change its permissions"),
}
"""Messages and remedies."""


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    """An open file; errors of the system within are of one line."""
    try:
        with open(0, "rb", closefd=False) if path == STANDARD_INPUT else path.open("rb") as file:
            yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TextFileError(
            f"{path.name} cannot be read: its gzip data is damaged or cut off ({error})", "get it, or pack it, again"
        ) from error
    except OSError as error:
        message, remedy = _SYSTEM_ERRORS.get(type(error), (error.strerror or str(error), "mend that"))
        raise TextFileError(f"{path} cannot be read: {message}", remedy) from error
