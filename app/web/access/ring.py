"""Key ring: the keys of a running service, as its file has them now."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import structlog

from app.settings.settings import Settings
from app.web.access.keys import Key, KeyFileError, matching, read_keys, unreadable
from app.web.codes import Code
from app.web.problems import Fault, ProblemError

log = structlog.get_logger()

CHECK_INTERVAL = 1.0
"""Seconds between looks at the file: a key created or revoked counts after so long."""


def keys_path(settings: Settings) -> Path:
    """The file of the settings' keys."""
    return settings.keys_file or settings.state_dir / "keys.json"


@dataclass(eq=False)
class KeyRing:
    """The keys of a file, followed while the service runs; ``required`` if the file must be there from the start.

    With a file the service is protected, also if no key is left in it, and stays so if the file
    vanishes or is damaged while it runs: the keys known last go on to count, none if there were none.
    """

    path: Path
    required: bool = False
    _keys: dict[str, Key] | None = None
    _stamp: tuple[int, int, int] | None = None
    _looked: float = float("-inf")
    _logged: str | None = None

    def __post_init__(self) -> None:
        """Read the file.

        Raises:
            KeyFileError: it cannot be read, or is not there and required.
        """
        try:
            self._load()
        except FileNotFoundError:
            if self.required:
                raise KeyFileError(
                    f"{self.path} is not there; remedy: make it with chainwright keys create, or unset "
                    "CHAINWRIGHT_KEYS_FILE"
                ) from None

    @property
    def protected(self) -> bool:
        """Whether callers need a key."""
        self._look()
        return self._keys is not None

    def find(self, token: str) -> Key | None:
        """The key that a token is; None if it is none."""
        self._look()
        return matching(self._keys or {}, token)

    def _look(self) -> None:
        now = time.monotonic()
        if now - self._looked < CHECK_INTERVAL:
            return
        self._looked = now
        try:
            self._load()
        except FileNotFoundError:
            self._warn(f"{self.path} is gone")
        except KeyFileError as error:
            self._warn(str(error))
            self._keys = self._keys or {}

    def _warn(self, reason: str) -> None:
        if self._keys is not None and self._logged != reason:
            log.error("the keys known last go on to count", reason=reason)
        self._logged, self._stamp = reason, None

    def _load(self) -> None:
        try:
            status = self.path.stat()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise unreadable(self.path, error) from error
        stamp = (status.st_ino, status.st_mtime_ns, status.st_size)
        if stamp != self._stamp:
            self._keys = read_keys(self.path)
            self._stamp, self._logged = stamp, None
        self._looked = time.monotonic()


def open_ring(settings: Settings) -> KeyRing:
    """The keys of the settings.

    Raises:
        ProblemError: 422 if they cannot be used, under the variable that names their place.
    """
    try:
        return KeyRing(keys_path(settings), required=settings.keys_file is not None)
    except KeyFileError as error:
        variable = "CHAINWRIGHT_STATE_DIR" if settings.keys_file is None else "CHAINWRIGHT_KEYS_FILE"
        raise ProblemError(422, [Fault.parse(error, Code.UNUSABLE_FILE, variable)]) from error
