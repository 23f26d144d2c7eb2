"""What a conversion that was killed leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from models.language import default_weights
from models.language.default_weights import DEFAULT_MODEL, ConversionError


def test_the_next_conversion_clears_away_what_a_killed_one_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / f"{DEFAULT_MODEL}-killed"
    left.mkdir()
    (left / "model.gguf").write_bytes(b"half")
    (tmp_path / "other").mkdir()

    def convert(scratch: Path, progress: object) -> None:
        assert not left.exists() and scratch.is_dir()
        raise ConversionError("far enough")

    monkeypatch.setattr(default_weights, "_convert", convert)
    with pytest.raises(ConversionError, match="far enough"):
        default_weights.default_weights(tmp_path, lambda what, share: None)
    assert {path.name for path in tmp_path.iterdir()} == {"other", f"{DEFAULT_MODEL}.lock"}
