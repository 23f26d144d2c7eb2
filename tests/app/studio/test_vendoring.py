from __future__ import annotations

import json

from app.studio.vendoring import LOCK, PACKAGES, VENDOR, integrity


def test_vendored_files_are_those_that_the_registry_s_checksums_named() -> None:
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    assert {name: each["version"] for name, each in lock.items()} == {each.name: each.version for each in PACKAGES}
    hashes = {file: value for each in lock.values() for file, value in each["files"].items()}
    found = {path.relative_to(VENDOR).as_posix(): path for path in VENDOR.rglob("*") if path.is_file()}
    assert set(hashes) == set(found) - {"lock.json"}
    assert all(integrity(found[file].read_bytes()) == value for file, value in hashes.items())


def test_each_package_has_its_licence_beside_it() -> None:
    lock = json.loads(LOCK.read_text(encoding="utf-8"))
    for each in lock.values():
        assert each["license"] in {"MIT", "Apache-2.0"}
        assert any(file.rpartition("/")[2].startswith("LICENSE") for file in each["files"])
