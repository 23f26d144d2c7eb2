"""Files that change whole: whoever reads one, even after a crash, finds the old content or the new."""

from __future__ import annotations

import os
from pathlib import Path


def write_atomically(path: Path, content: str | bytes, *, private: bool = False) -> None:
    """Write a file beside its place, have it on the disk, and rename it into place.

    Two writers of one file at a time must hold a lock, or write the same content.

    Args:
        path: of the file; its folder exists.
        content: text, written in UTF-8, or bytes.
        private: let nobody but this user read it, not even while it is written.

    Raises:
        OSError: it cannot be written; the old content is as it was.
    """
    scratch = path.with_name(f".{path.name}.writing")
    scratch.unlink(missing_ok=True)
    try:
        with open(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600 if private else 0o666), "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(scratch, path)
    except BaseException:
        scratch.unlink(missing_ok=True)
        raise
    sync(path.parent)


def sync(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
