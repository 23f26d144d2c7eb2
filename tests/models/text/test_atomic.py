"""Writing a file whole."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from models.text import atomic
from models.text.atomic import write_atomically


def test_content_is_replaced_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "notes.json"
    write_atomically(path, "旧")
    (tmp_path / ".notes.json.writing").write_bytes(b"left by a killed writer")
    write_atomically(path, "新".encode())
    assert path.read_text("utf-8") == "新"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("function", ["fsync", "replace"])
def test_a_failure_leaves_the_old_content(tmp_path: Path, function: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "notes.json"
    write_atomically(path, "old")

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(atomic.os, function, full)
    with pytest.raises(OSError, match="no space"):
        write_atomically(path, "new")
    assert path.read_text("utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_private_file_is_this_users_alone_and_another_follows_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_atomically(tmp_path / "keys", "secret", private=True)
        write_atomically(tmp_path / "index", "public")
    finally:
        os.umask(before)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("keys", "index")]
    assert modes == [0o600, 0o644]
