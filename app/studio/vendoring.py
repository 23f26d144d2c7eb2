"""Brings the studio's libraries from the npm registry: ``python -m app.studio.vendoring``.

Each package is the tarball whose checksum the registry gives; the files used of it go unmodified to
``static/vendor``, its licence beside them, and the hashes of all into ``lock.json``, by which a test
knows offline that none was changed.
"""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import NamedTuple

VENDOR = Path(__file__).parent / "static" / "vendor"
LOCK = VENDOR / "lock.json"


class Package(NamedTuple):
    """A package of the registry, and what is used of it.

    Attributes:
        name: in the registry.
        version: exact.
        files: paths in the package.
    """

    name: str
    version: str
    files: tuple[str, ...]


PACKAGES = (
    Package("preact", "11.2.0", ("dist/preact.mjs", "hooks/dist/hooks.mjs")),
    Package("htm", "3.1.1", ("dist/htm.module.js",)),
    Package("@preact/signals-core", "1.14.5", ("dist/signals-core.module.js",)),
    Package("@preact/signals", "2.11.4", ("dist/signals.module.js",)),
    Package("eventsource-parser", "4.1.3", ("dist/index.js", "dist/parse.js", "dist/errors.js")),
    Package("uplot", "1.6.32", ("dist/uPlot.iife.min.js", "dist/uPlot.min.css")),
)


class IntegrityError(ValueError):
    """A tarball that is not what the registry's checksum names."""


def vendor() -> None:
    """Replace ``static/vendor`` by the files of :data:`PACKAGES`.

    Raises:
        IntegrityError: a tarball has another checksum than the registry gives.
        CalledProcessError: npm fails.
    """
    with tempfile.TemporaryDirectory() as folder:
        fetched = Path(folder) / "vendor"
        lock = {each.name: _bring(each, Path(folder), fetched) for each in PACKAGES}
        shutil.rmtree(VENDOR, ignore_errors=True)
        shutil.copytree(fetched, VENDOR)
    LOCK.write_text(json.dumps(lock, indent=1) + "\n", encoding="utf-8")


def _bring(package: Package, folder: Path, to: Path) -> dict[str, object]:
    spec = f"{package.name}@{package.version}"
    about = json.loads(_npm(folder, "view", spec, "license", "dist.integrity", "--json"))
    tarball = folder / _npm(folder, "pack", spec, "--silent").strip()
    if integrity(tarball.read_bytes()) != about["dist.integrity"]:
        raise IntegrityError(f"{spec}: the tarball has another checksum than the registry gives; fetch it again")
    place = to / package.name.removeprefix("@").replace("/", "-")
    place.mkdir(parents=True)
    hashes: dict[str, str] = {}
    with tarfile.open(tarball) as packed:
        licence = next(name for name in packed.getnames() if name.lower().startswith("package/licen"))
        for name in (*(f"package/{file}" for file in package.files), licence):
            source = packed.extractfile(name)
            assert source is not None, name
            data = source.read()
            target = place / Path(name).name
            target.write_bytes(data)
            hashes[target.relative_to(to).as_posix()] = integrity(data)
    return {
        "version": package.version,
        "license": about["license"],
        "integrity": about["dist.integrity"],
        "files": hashes,
    }


def integrity(data: bytes) -> str:
    """The checksum of data as npm and browsers write it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()


def _npm(folder: Path, *arguments: str) -> str:
    return subprocess.run(["npm", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    vendor()
