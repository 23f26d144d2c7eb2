"""An index that can be changed while it is searched."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from filelock import FileLock

from models.retrieval.index.building import merge
from models.retrieval.index.change_log import Change, ChangeLog
from models.retrieval.index.compiled import CompiledIndex
from models.retrieval.index.errors import RetiredIndexError
from models.retrieval.index.key_format import KeyFormat
from models.retrieval.index.manifest import NAME, Manifest
from models.retrieval.index.overlay import OverlayView
from models.retrieval.index.spelling_table import DecodeBatch
from models.retrieval.index.values import normal_value

_LOG, _LOCK = "changes.log", "changes.lock"


@dataclass(frozen=True)
class Changed:
    """Counts of an update, in pairs of key and value."""

    added: int = 0
    removed: int = 0
    known: int = 0  # to be added, and there already
    missing: int = 0  # keys, or pairs, to be removed that were not there


class LiveIndex:
    """A compiled index and its changes, which are on the disk before an update returns.

    A search takes one :attr:`view` and keeps it: views do not change. Updates from several threads and
    processes take turns.
    """

    def __init__(self, folder: Path, base: CompiledIndex) -> None:
        self.folder = folder
        self.base = base
        self._log = ChangeLog(folder / _LOG, base.manifest.id)
        self._view = OverlayView.of(base)
        self._added_parts: set[tuple[int, tuple[int, ...]]] | None = None
        self._threads = threading.RLock()
        self._processes = FileLock(folder / _LOCK, thread_local=False)
        self.refresh()

    @classmethod
    def open(cls, folder: Path) -> LiveIndex:
        """Check and map an index, and replay its changes; see :meth:`CompiledIndex.open`.

        Raises:
            CorruptIndexError: not a whole, undamaged index, or its changes are damaged.
        """
        return cls(folder, CompiledIndex.open(folder))

    @property
    def view(self) -> OverlayView:
        """The index as it is now."""
        return self._view

    @property
    def manifest(self) -> Manifest:
        """The head of the compiled index."""
        return self.base.manifest

    @property
    def key_format(self) -> KeyFormat:
        """Composition of the keys."""
        return self.base.key_format

    @property
    def log_bytes(self) -> int:
        """Size of the changes on disk: a reason to merge."""
        return self._log.size

    def refresh(self) -> OverlayView:
        """Take in what other processes changed, and give the view."""
        with self._threads:
            # One pass for all batches: of several changes of a key the last one counts.
            changes = [change for batch in self._log.news() for change in batch]
            if changes:
                self._apply(changes)
            return self._view

    def _apply(self, changes: Sequence[Change]) -> None:
        for change in changes:
            for column, text in change.written.items():
                part = self.key_format.split(change.key)[column]
                self._view.forms.setdefault((column, part), text)
            if self._added_parts is not None:
                self._added_parts.update(enumerate(self.key_format.split(change.key)))
        self._view = self._view.with_changes({change.key: change.values for change in changes}.items())

    def update(
        self,
        added: Iterable[tuple[Sequence[int], Sequence[str]]] = (),
        removed: Iterable[tuple[Sequence[int], Sequence[str] | None]] = (),
        written: Mapping[tuple[int, ...], Mapping[int, str]] = MappingProxyType({}),
    ) -> Changed:
        """Remove, then add, all at once: seen in the next :attr:`view` together or, after a crash, not at all.

        Args:
            added: keys and values to append to those that they have.
            removed: keys and the values to take from them; None for all. A key without values is gone.
            written: for keys to be added by column, how their parts are written where that is not their normal
                form; it counts for parts that are new to the index.

        Raises:
            ValueError: not a key of the format, or a value that is not text or empty.
            RetiredIndexError: the index was replaced or deleted since it was opened.
        """
        wanted_added = [(self._checked(key), _texts(values)) for key, values in added]
        wanted_removed = [(self._checked(key), None if values is None else _texts(values)) for key, values in removed]
        with self.exclusive():
            view = self.refresh()
            state: dict[tuple[int, ...], list[str]] = {}
            before: dict[tuple[int, ...], list[str]] = {}
            for key, _ in (*wanted_removed, *wanted_added):
                if key not in state:
                    number = view.find(key)
                    state[key] = [] if number is None else view.values(number)
                    before[key] = list(state[key])
            counts = dict.fromkeys(("added", "removed", "known", "missing"), 0)
            for key, some in wanted_removed:
                gone = state[key] if some is None else [value for value in state[key] if normal_value(value) in some]
                counts["missing"] += len(set(some) - set(map(normal_value, gone))) if some is not None else not gone
                counts["removed"] += len(gone)
                state[key] = [value for value in state[key] if value not in gone]
            for key, values in wanted_added:
                known = set(map(normal_value, state[key]))
                new = [value for value in dict.fromkeys(values) if value not in known]
                counts["added"] += len(new)
                counts["known"] += len(values) - len(new)
                state[key] = state[key] + new
            changed = {key: values for key, values in state.items() if values != before[key]}
            if changed:
                forms = self._new_forms(changed, written) if written else {}
                changes = [Change(key, values, forms.get(key, {})) for key, values in changed.items()]
                self._log.append(changes)
                self._apply(changes)
            return Changed(**counts)

    def _new_forms(
        self, changed: Mapping[tuple[int, ...], Sequence[str]], written: Mapping[tuple[int, ...], Mapping[int, str]]
    ) -> dict[tuple[int, ...], dict[int, str]]:
        """The written forms of parts that are new to the index, each with the first key that has it."""
        if self._added_parts is None:
            added = (key for key, _ in self._view.added())
            self._added_parts = {one for key in added for one in enumerate(self.key_format.split(key))}
        seen: set[tuple[int, tuple[int, ...]]] = set()
        found: dict[tuple[int, ...], dict[int, str]] = {}
        for key, values in changed.items():
            for column, part in enumerate(self.key_format.split(key)) if values else ():
                text, one = written.get(key, {}).get(column), (column, part)
                known = one in seen or one in self._added_parts or one in self._view.forms
                if text is not None and not known and self.base.table.find_part(column, part) is None:
                    found.setdefault(key, {})[column] = text
                seen.add(one)
        return found

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Keep the index from all other changes meanwhile.

        Raises:
            RetiredIndexError: it was replaced or deleted.
        """
        with self._threads:
            self._check_current()  # a lock in a folder that is gone would make the folder again
            with self._processes:
                self._check_current()
                yield

    def _check_current(self) -> None:
        if not (self.folder / NAME).exists():
            raise RetiredIndexError(f"{self.folder} was replaced or deleted: open the index again")

    def merge(self, folder: Path, decode: DecodeBatch | None = None) -> Manifest:
        """Build an index of the present view, without a log, in a new folder.

        Changes made meanwhile are not in it: hold :meth:`exclusive` if they matter. For the rest see
        :func:`models.retrieval.index.building.merge`.
        """
        return merge(self.refresh(), folder, decode)

    def _checked(self, key: Sequence[int]) -> tuple[int, ...]:
        key = tuple(int(token) for token in key)
        if any(not 0 <= token < 1 << 32 for token in key):
            raise ValueError(f"a key holds token ids from 0 to 2**32 - 1: {key}")
        self.key_format.split(key)
        return key


def _texts(values: Sequence[str]) -> list[str]:
    """In their normal form."""
    if isinstance(values, str) or not values:
        raise ValueError("values must be a list of strings, not empty")
    for value in values:
        if not isinstance(value, str) or not normal_value(value):
            raise ValueError("a value must be a string, not empty")
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError("a value holds half a surrogate pair") from error
    return list(map(normal_value, values))
