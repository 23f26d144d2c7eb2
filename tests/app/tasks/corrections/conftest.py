from __future__ import annotations

from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings.settings import Settings
from app.tasks.corrections import chinese, chinese_grammar, edit_odds, english, listed, single_edits
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
def _eager(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What may be meant is as likely as what is given: of a random model's service there would be no edits."""
    if "client" not in request.fixturenames:
        yield
        return
    for module in (chinese, english):
        monkeypatch.setattr(module, "DISTORTIONS", dict.fromkeys(module.DISTORTIONS, 1.0))
    monkeypatch.setattr(chinese_grammar, "LEAST", -9.0)
    monkeypatch.setattr(chinese_grammar, "BEHIND", 9.0)
    monkeypatch.setattr(edit_odds, "LEAST_GAIN", -9.0)
    monkeypatch.setattr(edit_odds, "FLOOR", 0.0)
    monkeypatch.setattr(single_edits, "LIKELIEST", 400)
    monkeypatch.setattr(english, "MISSPELT", 1.0)
    monkeypatch.setattr(listed, "LISTED", 5.0)
    chinese.weights.cache_clear()
    yield
    chinese.weights.cache_clear()
