"""A folder that appears whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from filelock import FileLock, Timeout

from models.retrieval.index.errors import RetrievalIndexError
from models.text.atomic import sync

_SCRATCH_MARK = ".building-"


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A scratch folder, renamed to ``folder`` when the block ends well and removed when it does not.

    What killed builds left beside ``folder`` is swept: a build holds a lock on its scratch folder, and
    the system frees that when the process dies.

    Raises:
        RetrievalIndexError: ``folder`` exists.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    sweep(folder.parent)
    if folder.exists():
        raise RetrievalIndexError(f"{folder} exists: remove it, or build under another name")
    scratch = folder.parent / f".{uuid4().hex}{_SCRATCH_MARK}{folder.name}"
    lock = FileLock(_lock(scratch))
    with lock:
        try:
            scratch.mkdir()
            yield scratch
            try:
                os.rename(scratch, folder)
            except OSError as error:
                raise RetrievalIndexError(f"{folder} cannot be put in place: {error}") from error
            sync(folder.parent)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
            _lock(scratch).unlink(missing_ok=True)


def sweep(parent: Path) -> None:
    """Remove what builds that were killed left in a folder."""
    for path in parent.glob(f".*{_SCRATCH_MARK}*"):
        scratch = path.with_name(path.name.removesuffix(".lock"))
        try:
            with FileLock(_lock(scratch), timeout=0):
                shutil.rmtree(scratch, ignore_errors=True)
                _lock(scratch).unlink(missing_ok=True)
        except Timeout:
            continue


def _lock(scratch: Path) -> Path:
    return scratch.with_name(scratch.name + ".lock")
