"""API keys, kept as hashes in a file.

A key is ``cw_``, eight hexadecimal digits that name it, ``_``, and 256 random bits. The file holds
its SHA-256: with that many random bits nothing can be gained by guessing, so a slow hash such as
scrypt, which protects what people think up, would only slow down every request.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.settings.rates import Rate
from models.text.atomic import write_atomically

_TOKEN = re.compile(r"cw_([0-9a-f]{8})_[A-Za-z0-9_-]{43}")


class KeyFileError(ValueError):
    """The file of keys cannot be used; the message ends in ``; remedy: how to mend it``."""


class Key(BaseModel):
    """Record of a key; not the key itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(pattern=r"^[0-9a-f]{8}$")
    name: str = Field(min_length=1, max_length=100, description="whose it is")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the key")
    created: datetime
    rate: Rate | None = Field(default=None, description="such as 600/minute; None takes CHAINWRIGHT_RATE")
    quota: Rate | None = Field(default=None, description="such as 100000/day; None takes CHAINWRIGHT_QUOTA")


class _Keys(BaseModel):
    model_config = ConfigDict(extra="forbid")

    version: int = Field(default=1, ge=1, le=1)
    keys: list[Key] = Field(default_factory=list)


def read_keys(path: Path) -> dict[str, Key]:
    """The keys of a file by their ids.

    Raises:
        FileNotFoundError: there is no file.
        KeyFileError: it cannot be read.
    """
    try:
        return {key.id: key for key in _Keys.model_validate_json(path.read_bytes()).keys}
    except FileNotFoundError:
        raise
    except OSError as error:
        raise unreadable(path, error) from error
    except ValidationError as error:
        where = error.errors(include_input=False, include_url=False)[0]
        raise KeyFileError(
            f"{path} is damaged ({where['msg']}); remedy: restore it, or delete it and make keys with chainwright keys "
            "create"
        ) from None


def unreadable(path: Path, error: OSError) -> KeyFileError:
    """The error of a file that is there and cannot be read."""
    return KeyFileError(f"{path} cannot be read ({error}); remedy: let the service's user read it")


def create_key(path: Path, name: str, rate: str | None = None, quota: str | None = None) -> tuple[Key, str]:
    """Add a key to a file, made if need be; its record, and the key itself, which is kept nowhere.

    Raises:
        KeyFileError: the file cannot be read or written.
        pydantic.ValidationError: name, rate or quota are not fit.
    """
    number = secrets.token_hex(4)
    token = f"cw_{number}_{secrets.token_urlsafe(32)}"
    key = Key(id=number, name=name, sha256=_digest(token), created=datetime.now(UTC), rate=rate, quota=quota)
    _change(path, lambda keys: {**keys, key.id: key})
    return key, token


def revoke_key(path: Path, number: str) -> bool:
    """Take a key out of a file; true if it was there.

    Raises:
        KeyFileError: the file cannot be read or written.
    """
    gone: list[Key] = []

    def without(keys: dict[str, Key]) -> dict[str, Key]:
        gone.extend([keys[number]] if number in keys else [])
        return {each: key for each, key in keys.items() if each != number}

    _change(path, without)
    return bool(gone)


def matching(keys: dict[str, Key], token: str) -> Key | None:
    """The key that a caller's token is; None if it is none of them."""
    match = _TOKEN.fullmatch(token)
    key = keys.get(match[1]) if match else None
    return key if key is not None and hmac.compare_digest(key.sha256, _digest(token)) else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _change(path: Path, change: Callable[[dict[str, Key]], dict[str, Key]]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(path.name + ".lock")):
            try:
                keys = read_keys(path)
            except FileNotFoundError:
                keys = {}
            written = _Keys(keys=list(change(keys).values())).model_dump_json(indent=2)
            write_atomically(path, written + "\n", private=True)
    except OSError as error:
        raise KeyFileError(f"{path} cannot be written ({error}); remedy: name another with --file") from error
