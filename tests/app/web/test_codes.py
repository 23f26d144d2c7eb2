"""The closed list of codes: documented, used, and shown by the OpenAPI document."""

from __future__ import annotations

import re
from pathlib import Path

from app.main import create_app
from app.settings.settings import Settings
from app.web.codes import Code

ROOT = Path(__file__).parents[3]


def test_the_document_lists_every_code_and_no_other() -> None:
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    rows = re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", text.partition("### Codes")[2], re.MULTILINE)
    assert rows == [(code.value, code.description) for code in Code]


def test_every_code_has_a_use() -> None:
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "app").rglob("*.py") if path.name != "codes.py")
    assert [code for code in Code if not re.search(rf"Code\.{code.name}\b", sources)] == []


def test_openapi_lists_the_codes() -> None:
    document = create_app(Settings(model="none", redis_url="off", queue_url="off")).openapi()  # type: ignore[arg-type]
    schemas = document["components"]["schemas"]
    assert schemas["Code"]["enum"] == [code.value for code in Code]
    assert schemas["Fault"]["required"] == ["field", "code", "message", "remedy"]
