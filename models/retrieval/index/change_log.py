"""Changes on disk, one line each."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from models.retrieval.index.errors import CorruptIndexError
from models.text.atomic import sync


class Change(NamedTuple):
    """The new state of a key."""

    key: tuple[int, ...]
    values: Sequence[str]  # none if it is removed
    written: Mapping[int, str]  # by column, original forms of parts that are new to the index


_VERSION = 1


class ChangeLog:
    """A file that only grows. Line: checksum, space, JSON list of changes that took place together.

    The first line names the build that the changes belong to. A line counts once its newline is on the
    disk; the torn last line of a killed writer is ignored, and overwritten by the next one. There is no
    file before the first change.
    """

    def __init__(self, path: Path, index: str) -> None:
        self._path = path
        self._head = {"version": _VERSION, "index": index}
        self._read = 0
        self._lines = 0

    def news(self) -> list[list[Change]]:
        """The changes appended since the last call, by any process.

        Raises:
            CorruptIndexError: a line other than the last one is damaged, or the file belongs to another build.
        """
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except FileNotFoundError:
            return []
        *whole, torn = text.split(b"\n")
        batches: list[list[Change]] = []
        for at, line in enumerate(whole):
            record = _parse(line)
            if record is None:
                if at == len(whole) - 1 and not torn:
                    break
                raise CorruptIndexError(
                    f"{self._path}, line {self._lines + 1}: does not match its checksum; "
                    "remove the lines from there on to keep the changes before it"
                )
            if self._lines:
                batches.append([Change(tuple(key), tuple(values), dict(*written)) for key, values, *written in record])
            elif record != self._head:
                raise CorruptIndexError(f"{self._path} belongs to another build of the index: remove it")
            self._read += len(line) + 1
            self._lines += 1
        return batches

    def append(self, changes: Sequence[Change]) -> None:
        """Write changes; they are on the disk when this returns. All news must have been read."""
        text = b"" if self._lines else _format(self._head)
        # Without written forms a change has two entries, as it always had.
        text += _format(
            [[list(one.key), list(one.values), *([list(one.written.items())] * bool(one.written))] for one in changes]
        )
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o644)
        try:
            os.ftruncate(handle, self._read)
            os.lseek(handle, self._read, os.SEEK_SET)
            rest = memoryview(text)
            while rest:
                rest = rest[os.write(handle, rest) :]
            os.fsync(handle)
        finally:
            os.close(handle)
        if not self._lines:
            sync(self._path.parent)
        self._read += len(text)
        self._lines += text.count(b"\n")

    @property
    def size(self) -> int:
        """Bytes read or written."""
        return self._read


def _format(record: object) -> bytes:
    body = json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode()
    return _checksum(body) + b" " + body + b"\n"


def _parse(line: bytes) -> Any:
    checksum, _, body = line.partition(b" ")
    return json.loads(body) if checksum == _checksum(body) else None


def _checksum(body: bytes) -> bytes:
    return hashlib.blake2b(body, digest_size=8).hexdigest().encode()
