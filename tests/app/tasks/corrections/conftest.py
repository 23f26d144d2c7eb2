from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings.settings import Settings
from app.tasks.corrections import chinese, chinese_grammar, english, listed
from tests.app.conftest import wait_until_ready
from tests.support import tiny_service as tiny


@pytest.fixture(scope="module")
def client(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Of a model that writes any character by its bytes."""
    folder = tiny.save_with_bytes(tmp_path_factory.mktemp("tiny_bytes"))
    changed = {"model": str(folder), "state_dir": tmp_path_factory.mktemp("state")}
    with TestClient(create_app(settings.model_copy(update=changed)), raise_server_exceptions=False) as client:
        wait_until_ready(client)
        yield client


@pytest.fixture(autouse=True)
def _eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What may be meant is as likely as what is given: of a random model there would be no edits."""
    for module in (chinese, chinese_grammar, english):
        monkeypatch.setattr(module, "DISTORTIONS", dict.fromkeys(module.DISTORTIONS, 1.0))
    monkeypatch.setattr(english, "MISSPELT", 1.0)
    monkeypatch.setattr(listed, "LISTED", 5.0)
    chinese.weights.cache_clear()
    yield
    chinese.weights.cache_clear()
