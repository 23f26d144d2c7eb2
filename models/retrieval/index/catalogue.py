"""Named indexes in a folder."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import uuid4

from filelock import FileLock, Timeout

from models.retrieval.index.building import build
from models.retrieval.index.errors import BadNameError, CorruptIndexError, RetrievalIndexError, UnknownIndexError
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.live import LiveIndex
from models.retrieval.index.manifest import Manifest
from models.retrieval.index.sources import Source
from models.retrieval.index.spelling_table import DecodeBatch
from models.retrieval.index.tokenizing import Encode
from models.text.atomic import sync, write_atomically

T = TypeVar("T")

_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_CURRENT = "current"
_DELETED = ".deleted-"


class Catalogue:
    """Indexes by name, opened once and replaced while readers hold the old one.

    A name is a folder; each build of it is a folder therein, and the file ``current`` names the one that
    counts, so that a replacement is the renaming of one file. The maps of readers outlive the files.
    Several processes may share a catalogue.

    Args:
        root: the folder; made when first needed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: dict[str, LiveIndex] = {}
        self._lock = threading.Lock()

    def names(self) -> list[str]:
        """The names of all indexes, sorted."""
        paths = self._root.glob(f"*/{_CURRENT}")
        return sorted(path.parent.name for path in paths if _NAME.fullmatch(path.parent.name))

    def is_open(self, name: str) -> bool:
        """Whether this catalogue holds an index open."""
        return name in self._open

    def open(self, name: str) -> LiveIndex:
        """The index of this name as it is now; the same object until it is replaced or unloaded.

        Raises:
            UnknownIndexError: there is none.
            CorruptIndexError: it is damaged.
        """

        def opened(folder: Path) -> LiveIndex:
            held = self._open.get(name)
            if held is None or held.folder != folder:
                held = self._open[name] = LiveIndex.open(folder)
            return held

        with self._lock:
            return self._reading(name, opened)

    def manifest(self, name: str) -> Manifest:
        """The head of an index that is not opened; see :meth:`open`."""
        return self._reading(name, Manifest.read)

    def _reading(self, name: str, read: Callable[[Path], T]) -> T:
        """Read an index's folder; the new one, if the old one was replaced and removed meanwhile."""
        while True:
            folder = self._current(name)
            try:
                found = read(folder)
            except (CorruptIndexError, FileNotFoundError):
                if self._current(name) == folder:
                    raise
            else:
                # What was removed while it was read may lack parts that an index need not have.
                if self._current(name) == folder:
                    return found

    def unload(self, name: str) -> bool:
        """Forget an open index, whose holders keep it; whether it was open."""
        _check(name)
        with self._lock:
            return self._open.pop(name, None) is not None

    def build(
        self, name: str, sources: Sequence[Source], key_format: KeyFormat, encode: Encode, **more: Any
    ) -> Manifest:
        """Build an index, or another in its place; the old one serves until then, and its changes go with it.

        For the arguments see :func:`models.retrieval.index.building.build`.

        Raises:
            RetrievalIndexError: being built already, or as :func:`build`.
        """
        with self._alone(name):
            folder = self._root / name / uuid4().hex
            manifest = build(folder, sources, key_format, encode, **more)
            self._publish(name, folder)
        return manifest

    def merge(self, name: str, decode: DecodeBatch | None = None) -> Manifest:
        """Rebuild an index with its changes; it is searched meanwhile, and changes wait.

        For ``decode`` see :func:`models.retrieval.index.building.merge`.

        Raises:
            UnknownIndexError: there is none.
            RetrievalIndexError: being built or merged already.
        """
        with self._alone(name):
            live = self.open(name)
            folder = self._root / name / uuid4().hex
            with live.exclusive():
                manifest = live.merge(folder, decode)
                self._publish(name, folder)
        return manifest

    def delete(self, name: str) -> None:
        """Remove an index, whose holders keep it.

        Raises:
            UnknownIndexError: there is none.
            RetrievalIndexError: being built or merged.
        """
        with self._alone(name):
            if not (self._root / name / _CURRENT).exists():
                raise UnknownIndexError(f"there is no index {name!r}")
            doomed = self._root / f"{_DELETED}{uuid4().hex}"
            os.rename(self._root / name, doomed)
            sync(self._root)
        self.unload(name)
        for path in self._root.glob(f"{_DELETED}*"):
            shutil.rmtree(path, ignore_errors=True)

    def _publish(self, name: str, folder: Path) -> None:
        """Make a build the current one and remove the others."""
        write_atomically(folder.with_name(_CURRENT), folder.name)
        for path in folder.parent.iterdir():
            if path.is_dir() and path != folder:
                shutil.rmtree(path, ignore_errors=True)

    def _current(self, name: str) -> Path:
        _check(name)
        try:
            build_id = (self._root / name / _CURRENT).read_text("utf-8").strip()
        except OSError as error:
            raise UnknownIndexError(f"there is no index {name!r}") from error
        if not re.fullmatch(r"[0-9a-f]{32}", build_id):
            raise CorruptIndexError(f"{self._root / name / _CURRENT} is damaged: build the index {name!r} again")
        return self._root / name / build_id

    @contextmanager
    def _alone(self, name: str) -> Iterator[None]:
        _check(name)
        self._root.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self._root / f".{name}.lock", timeout=0):
                yield
        except Timeout as error:
            raise RetrievalIndexError(
                f"the index {name!r} is being built, merged or deleted: try again later"
            ) from error


def _check(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise BadNameError(f"a name is 1 to 64 of a-z, 0-9, _ and -: {name!r}")
