"""Blind reading: what is shuffled is found again by the key, and tells nothing before."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks import reading


def command(monkeypatch: pytest.MonkeyPatch, arguments: Sequence[object]) -> None:
    monkeypatch.setattr(sys, "argv", ["reading", *map(str, arguments)])
    reading.main()


def way(path: Path, texts: Sequence[str]) -> Path:
    lines = [
        {
            "set": f"dev:{number}",
            "keywords": ["w"],
            "references": [f"reference {number}"],
            "sentences": [{"text": text, "score": 1}, {"text": f"worse {number}", "score": 0}],
        }
        for number, text in enumerate(texts)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_marks_are_counted_by_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ours = way(tmp_path / "ours.jsonl", ["good 0", "good 1", "same 2", "bad 3"])
    theirs = way(tmp_path / "theirs.jsonl", ["bad 0", "good 1b", "same 2"])
    read, key = tmp_path / "read.txt", tmp_path / "key.json"
    shuffled = ["shuffle", ours, theirs, "--rank-by", "score", "--references", "--output", read, "--key", key]
    command(monkeypatch, shuffled)
    lines = read.read_text().splitlines()
    assert len(lines) == 8, "the common sets alone, equal sentences once, with a reference each"
    assert not any(word in read.read_text() for word in ("ours", "theirs", "worse", "dev:"))
    marked = [line.replace("?", "+" if "good" in line or "same" in line else "-") for line in lines]
    read.write_text("\n".join(marked) + "\n")
    command(monkeypatch, ["count", read, key])
    told = capsys.readouterr().out
    assert "ours: 3 of 3 natural" in told and "theirs: 2 of 3 natural" in told and "references: 0 of 3" in told
    assert "ours alone 1, theirs alone 0" in told


def test_what_is_not_marked_is_not_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read, key = tmp_path / "read.txt", tmp_path / "key.json"
    ours = way(tmp_path / "ours.jsonl", ["one"])
    command(monkeypatch, ["shuffle", ours, "--rank-by", "score", "--output", read, "--key", key])
    with pytest.raises(SystemExit, match="not marked"):
        command(monkeypatch, ["count", read, key])
