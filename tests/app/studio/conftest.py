from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from app.main import create_app
from app.settings.settings import Settings
from tests.support import browser as browsers
from tests.support import tiny_service as tiny
from tests.support.live import serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for one file: while Playwright's event loop is open, the thread can run no other."""
    if browsers.CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = browsers.chromium(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def byte_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_with_bytes(tmp_path_factory.mktemp("tiny_bytes"))


@pytest.fixture(scope="module")
def url(settings: Settings, byte_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service whose model spells any text, as the examples of the pages have it."""
    changed = {"model": str(byte_model_folder), "state_dir": tmp_path_factory.mktemp("studio")}
    with serving(create_app(settings.model_copy(update=changed))) as url:
        yield url
