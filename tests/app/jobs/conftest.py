from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.main import create_app
from app.settings.settings import Limits, Settings
from tests.app.conftest import wait_until_ready
from tests.support.fleet import Fleet, QueueServer, open_fleet
from tests.support.job_items import build_index
from tests.support.processes import Nursery, free_port
from tests.support.variables import process_variables


@pytest.fixture(scope="session")
def short_folder() -> Iterator[Path]:
    """A short path: pytest's own may be too long for a socket."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def job_app(settings: Settings, short_folder: Path) -> FastAPI:
    """A service with an embedded queue and a worker inside."""
    limits = Limits(max_job_items=500, max_job_bytes=1 << 20)
    more = {"state_dir": short_folder / "inside", "limits": limits, "ping_seconds": 0.5}
    return create_app(settings.model_copy(update=more))


@pytest.fixture(scope="session")
def job_client(job_app: FastAPI) -> Iterator[TestClient]:
    with TestClient(job_app, raise_server_exceptions=False) as client:
        wait_until_ready(client)
        yield client


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


@pytest.fixture(scope="session")
def process_settings(model_folder: Path, key_model_folder: Path, short_folder: Path) -> dict[str, str]:
    """Settings of processes with the tiny model."""
    return process_variables(model_folder, key_model_folder, short_folder)


@pytest.fixture(scope="session")
def queue(short_folder: Path) -> Iterator[QueueServer]:
    server = QueueServer(short_folder / "queue", free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def service_fleet(
    nursery: Nursery, queue: QueueServer, process_settings: dict[str, str], short_folder: Path
) -> Iterator[Fleet]:
    """A service without a worker, on a queue's server of its own."""
    with open_fleet(nursery, short_folder / "fleet", process_settings | {"queue_url": queue.url}) as processes:
        processes.start_service(worker="off")
        processes.wait_ready()
        build_index(processes.client)
        yield processes


@pytest.fixture
def fleet(service_fleet: Fleet) -> Iterator[Fleet]:
    """The same; the workers that a test starts end with it."""
    worker = service_fleet.worker
    yield service_fleet
    service_fleet.stop_workers()
    service_fleet.worker = worker
