"""Files of the house: one concept each, so none is long."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAX_LINES = 400


@pytest.mark.parametrize("room", ["app", "models", "samplers", "client"])
def test_no_file_is_long(room: str) -> None:
    files = [file for kind in ("*.py", "*.c", "*.lua") for file in (ROOT / room).rglob(kind)]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text("utf-8").splitlines()) for file in files}
    assert len(lengths) > 5
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}
