from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from app.main import create_app
from app.settings.settings import Settings
from tests.support import browser as browsers
from tests.support.live import serving


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if browsers.CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        chromium = browsers.chromium(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def url(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("studio")
    with serving(create_app(settings.model_copy(update={"state_dir": folder}))) as url:
        yield url
