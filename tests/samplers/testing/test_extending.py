"""The examples of docs/extending.md obey their laws."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "extending.md"


def _laws() -> list[tuple[str, Callable[[], None]]]:
    found = []
    for code in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        if "samplers.testing" not in code:
            continue
        names: dict[str, object] = {"__name__": __name__}
        exec(code, names)
        for name, cls in names.items():
            if name.startswith("Test") and isinstance(cls, type):
                found += [(f"{name}.{law}", getattr(cls(), law)) for law in dir(cls) if law.startswith("test_")]
    return found


@pytest.mark.parametrize(("name", "law"), _laws())
def test_law(name: str, law: Callable[[], None]) -> None:
    law()


def test_there_is_one_of_each_kind() -> None:
    classes = {name.split(".")[0] for name, _ in _laws()}
    assert classes == {"TestVariety", "TestStartsWith", "TestExchange", "TestShortSentences", "TestOwnKeyword"}
