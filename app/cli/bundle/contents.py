"""The folder of a bundle: wheels, licences, a manifest, checksums, and what installs them."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sys
import sysconfig
import zipfile
from collections.abc import Iterator, Sequence
from importlib.metadata import PathDistribution
from pathlib import Path
from typing import Any

FILES = Path(__file__).parent / "files"
CHECKSUMS, MANIFEST = "SHA256SUMS", "manifest.json"
SERVICE = "chainwright"

_LICENCE = re.compile(r"(licen[cs]es?/.+|(licen[cs]e|copying|notice|authors)[^/]*)", re.IGNORECASE)
"""Files of a wheel's ``.dist-info`` that its licence is told in."""


def assemble(folder: Path, wheels: Sequence[Path], extras: Sequence[str] = ()) -> Path:
    """Make a bundle in a new folder, into which the wheels are moved."""
    (folder / "wheels").mkdir(parents=True)
    packages = []
    for wheel in wheels:
        packages.append(_described(wheel, folder / "licences"))
        shutil.move(wheel, folder / "wheels" / wheel.name)
    for file in FILES.iterdir():
        shutil.copy(file, folder / file.name)
    requirement = f"{SERVICE}[{','.join(extras)}]" if extras else SERVICE
    manifest = {
        "install": requirement,
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "platform": sysconfig.get_platform(),
        "packages": packages,
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", "utf-8")
    lines = [f"{_digest(file)}  {file.relative_to(folder).as_posix()}\n" for file in _files(folder)]
    (folder / CHECKSUMS).write_text("".join(lines), "utf-8")
    return folder


def total_bytes(folder: Path) -> int:
    """Bytes of all files in a folder."""
    return sum(file.stat().st_size for file in _files(folder))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in sorted(folder.rglob("*")) if file.is_file())


def _described(wheel: Path, licences: Path) -> dict[str, Any]:
    """Name, version and licence of a wheel, whose licence files are copied beside."""
    with zipfile.ZipFile(wheel) as opened:
        # Some wheels have those of others within.
        (info,) = {
            top for top, _, _ in (name.partition("/") for name in opened.namelist()) if top.endswith(".dist-info")
        }
        metadata = PathDistribution(zipfile.Path(opened, f"{info}/")).metadata
        name, version = metadata["Name"], metadata["Version"]
        for member in opened.namelist():
            within = member.removeprefix(f"{info}/")
            if within != member and not member.endswith("/") and _LICENCE.fullmatch(within):
                place = licences / f"{name}-{version}" / Path(within).name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(opened.read(member))
    classifiers = [each.rpartition(" :: ")[2] for each in metadata.get_all("Classifier") or () if "License ::" in each]
    told = (metadata["License-Expression"] or metadata["License"] or "").strip().partition("\n")[0]
    return {"name": name, "version": version, "licence": told or ", ".join(classifiers) or "not told"}


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
