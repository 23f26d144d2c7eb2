"""The documents say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.settings.settings import Limits, Settings

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "benchmarks").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text("utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "settings.md").read_text("utf-8")
    names = [name for cls in (Settings, Limits) for name in cls.model_fields if name != "limits"]
    assert [name for name in names if f"`CHAINWRIGHT_{name.upper()}`" not in text] == []


def test_the_house_imports_one_way() -> None:
    """samplers know neither torch nor app nor models; models never app."""
    forbidden = {"samplers": r"torch|transformers|fastapi|redis|app|models", "models": r"fastapi|app"}
    offending = [
        f"{path.relative_to(ROOT)}: {line}"
        for folder, names in forbidden.items()
        for path in (ROOT / folder).rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if re.match(rf"\s*(from|import) ({names})\b", line)
    ]
    assert offending == []
