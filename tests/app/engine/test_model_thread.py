"""What uses all cores at once does so from one thread: libgomp's threads beyond the cores no longer spin."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from app.settings.settings import Settings
from models.language.forward.projection import Projection
from tests.app.conftest import wait_until_ready


def test_weights_are_laid_out_in_the_thread_that_runs_the_model(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    init = Projection.__init__

    def watched(self: Projection, *arguments: Any) -> None:
        threads.append(threading.current_thread().name)
        init(self, *arguments)

    monkeypatch.setattr(Projection, "__init__", watched)
    with TestClient(create_app(settings)) as client:
        wait_until_ready(client)
        of_the_model = len(threads)
        for language, keyword in (("zh", "今天"), ("en", "dog")):
            body = {"keywords": [keyword], "language": language, "sampler": {"kind": "metropolis", "steps": 2}}
            assert client.post("/v1/sentences", json=body).status_code == 200
    assert len(threads) == of_the_model + 2  # a head for each vocabulary
    assert set(threads) == {"model_0"}
