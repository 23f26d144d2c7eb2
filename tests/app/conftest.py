from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.main import create_app
from app.settings.settings import Limits, Settings
from tests.support import tiny_service as tiny


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def key_model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its tokenizer has a line break, which separates the parts of keys."""
    return tiny.save(tmp_path_factory.mktemp("tiny_keys"), ["\n", "（", "）", "<", ">", "^", *"气晴热后夜"])


@pytest.fixture(scope="session")
def settings(model_folder: Path, key_model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        model=str(model_folder),
        device="cpu",
        precision="float32",
        offline=True,
        cache_dir=tmp_path_factory.mktemp("cache"),
        state_dir=tmp_path_factory.mktemp("state"),
        retrieval_model=str(key_model_folder),
        redis_url="off",  # type: ignore[arg-type]
        torch_threads=1,
        limits=Limits(max_running=2, max_waiting=1),
    )


@pytest.fixture(scope="session")
def app(settings: Settings) -> FastAPI:
    return create_app(settings)


@pytest.fixture(scope="session")
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, raise_server_exceptions=False) as client:
        wait_until_ready(client)
        yield client


def wait_until_ready(client: TestClient) -> None:
    deadline = time.monotonic() + 300
    while (response := client.get("/ready")).status_code != 200:
        assert time.monotonic() < deadline, response.text
        time.sleep(0.05)
