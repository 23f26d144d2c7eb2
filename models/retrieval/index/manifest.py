"""The head of an index: its origin, and size and checksum of every file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from models.retrieval.index.errors import CorruptIndexError
from models.retrieval.index.key_format import KeyFormat
from models.text.atomic import sync, write_atomically

NAME = "manifest.json"
FORMAT = "chainwright-index"
VERSION = 1
_STAMPS = "checked.json"
_MEND = "build the index again, or copy it again from where it is whole"


@dataclass(frozen=True)
class Manifest:
    """The head of an index."""

    id: str  # of this build; no two builds share one
    tokenizer: str  # fingerprint of the tokenizer of its keys
    key_format: KeyFormat
    counts: Mapping[str, Any]  # see models.retrieval.index.compiling.Counts
    report: Mapping[str, Any]  # see models.retrieval.index.report.Report
    files: Mapping[str, tuple[int, str]]  # bytes and BLAKE2b-256 of every file

    @classmethod
    def write(
        cls, folder: Path, tokenizer: str, key_format: KeyFormat, counts: Mapping[str, Any], report: Mapping[str, Any]
    ) -> Manifest:
        """Describe the files of a folder, and have all of it on the disk before returning."""
        paths = sorted(path for path in folder.iterdir() if path.is_file())
        digests = _digests(paths)
        files = {path.name: (path.stat().st_size, digest) for path, digest in zip(paths, digests, strict=True)}
        manifest = cls(uuid4().hex, tokenizer, key_format, counts, report, files)
        record = {
            "format": FORMAT,
            "version": VERSION,
            "id": manifest.id,
            "tokenizer": tokenizer,
            "key_format": key_format.as_json(),
            "counts": dict(counts),
            "report": dict(report),
            "files": {name: list(file) for name, file in files.items()},
        }
        (folder / NAME).write_text(
            json.dumps({**record, "checksum": _checksum(record)}, ensure_ascii=False, indent=1), "utf-8"
        )
        for path in (*paths, folder / NAME, folder):
            sync(path)
        return manifest

    @classmethod
    def verify(cls, folder: Path, *, full: bool = False) -> Manifest:
        """Read the manifest and check every file against it: size always, checksum where due.

        Raises:
            CorruptIndexError: a file is missing, truncated or changed, or this is no index.
        """
        manifest, checksum = cls._read(folder)
        stamps = {}
        for name, (size, _) in manifest.files.items():
            try:
                status = (folder / name).stat()
            except OSError as error:
                raise CorruptIndexError(f"{folder / name} is missing: {_MEND}") from error
            if status.st_size != size:
                raise CorruptIndexError(f"{folder / name} has {status.st_size} bytes, not {size}: {_MEND}")
            stamps[name] = [size, status.st_mtime_ns]
        current = {"checksum": checksum, "stamps": stamps}
        if full or _read_stamps(folder) != current:
            names = sorted(manifest.files)
            for name, digest in zip(names, _digests([folder / name for name in names]), strict=True):
                if digest != manifest.files[name][1]:
                    raise CorruptIndexError(f"{folder / name} does not match its checksum: {_MEND}")
            with suppress(OSError):  # a folder that cannot be written is checked in full each time
                write_atomically(folder / _STAMPS, json.dumps(current))
        return manifest

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest alone.

        Raises:
            CorruptIndexError: missing or damaged.
        """
        return cls._read(folder)[0]

    @classmethod
    def _read(cls, folder: Path) -> tuple[Manifest, str]:
        path = folder / NAME
        try:
            record = json.loads(path.read_text("utf-8"))
        except FileNotFoundError as error:
            raise CorruptIndexError(f"{folder} is not an index: it has no {NAME}") from error
        except (OSError, ValueError) as error:
            raise CorruptIndexError(f"{path} cannot be read ({error}): {_MEND}") from error
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise CorruptIndexError(f"{path} is not the manifest of an index")
        if record.get("version") != VERSION:
            raise CorruptIndexError(
                f"{folder} is of format version {record.get('version')}; this program reads {VERSION}: build it again"
            )
        checksum = record.pop("checksum", None)
        if checksum != _checksum(record):
            raise CorruptIndexError(f"{path} does not match its checksum: {_MEND}")
        files = {name: (size, digest) for name, (size, digest) in record["files"].items()}
        key_format = KeyFormat.from_json(record["key_format"])
        return cls(record["id"], record["tokenizer"], key_format, record["counts"], record["report"], files), checksum


def _checksum(record: Mapping[str, Any]) -> str:
    return hashlib.blake2b(json.dumps(record, sort_keys=True).encode(), digest_size=32).hexdigest()


def _digests(paths: list[Path]) -> list[str]:
    # hashlib lets other threads run, so two files are read at a time.
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(_digest, paths))


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=32)).hexdigest()
    except OSError as error:
        raise CorruptIndexError(f"{path} cannot be read ({error}): {_MEND}") from error


def _read_stamps(folder: Path) -> Any:
    try:
        return json.loads((folder / _STAMPS).read_text("utf-8"))
    except (OSError, ValueError):
        return None
