"""The notebooks hold what they claim, and what is kept of them is whole and small.

What they claim of texts is to hold for every model, so a tiny one writes these; the default one writes the keys.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.main import create_app
from app.settings.settings import Settings
from models.language.default_weights import default_weights
from tests.support import tiny_service as tiny
from tests.support.live import serving
from tests.support.notebooks import NOTEBOOKS, ROOT, executed, read
from tests.test_docs import anchors

MOST_BYTES = 300_000
"""Of all of them, for who clones the repository."""

every = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """URL of a service whose model can spell every word of the notebooks."""
    default_weights(Settings().cache_dir, lambda what, share: None)
    code = "\n".join(cell.source for path in NOTEBOOKS for cell in read(path).cells if cell.cell_type == "code")
    words = [f"▁{word}" for word in sorted({*re.findall("[A-Za-z]+", code)})]
    characters = sorted({character for character in code if not character.isspace()})
    with tempfile.TemporaryDirectory(prefix="cw") as folder:  # a short path, for the queue's socket
        model = tiny.save(
            Path(folder) / "tiny",
            ["\n", *words, *characters, *(f"<0x{byte:02X}>" for byte in range(256))],
            byte_fallback=True,
        )
        settings = Settings(model=str(model), retrieval_model="default", state_dir=Path(folder), redis_url="off")  # type: ignore[arg-type]
        with serving(create_app(settings)) as url:
            yield url


@every
def test_it_runs(path: Path, service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its own assertions are the test."""
    monkeypatch.setenv("CHAINWRIGHT_URL", service)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    for name in ("IPYTHONDIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path))
    outputs = [output for cell in executed(path).cells for output in cell.get("outputs", ())]
    assert any("text/html" in output.get("data", {}) for output in outputs)
    warnings = [output.text for output in outputs if output.get("name") == "stderr"]
    assert warnings == []


@every
def test_it_is_kept_with_the_outputs_of_one_run(path: Path) -> None:
    code = [cell for cell in read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [*range(1, len(code) + 1)], "run `make notebooks`"
    assert not [output for cell in code for output in cell.outputs if output.output_type == "error"]
    assert sum("assert " in cell.source for cell in code) >= 3, "it shows much, and claims little"
    assert "/home/" not in path.read_text("utf-8") and str(ROOT) not in path.read_text("utf-8")


def test_they_are_small() -> None:
    assert len(NOTEBOOKS) >= 4
    assert sum(path.stat().st_size for path in NOTEBOOKS) < MOST_BYTES


@every
def test_links_lead_somewhere(path: Path) -> None:
    text = "\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")
    links = re.findall(r"\]\((?!https?://)([^)#]+)(?:#([^)]+))?\)", text)
    missing = [
        f"{target}#{heading}"
        for target, heading in links
        if not (path.parent / target).exists() or (heading and heading not in anchors(path.parent / target))
    ]
    assert links and missing == []
