from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from openai import OpenAI

from app.settings.settings import Limits, Settings
from tests.app.openai.stock import client_of, serving_queue

LIMITS = Limits(max_job_bytes=3 << 20, max_files=100, max_files_bytes=20 << 20, max_job_items=500)


@pytest.fixture(scope="session")
def service(settings: Settings) -> Iterator[str]:
    """The URL of a real server with a queue inside."""
    with serving_queue(settings, limits=LIMITS) as url:
        yield url


@pytest.fixture(scope="session")
def http(service: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service, trust_env=False, timeout=300) as client:
        yield client


@pytest.fixture(scope="session")
def stock(service: str) -> Iterator[OpenAI]:
    """OpenAI's own client, pointed to it."""
    with client_of(service) as client:
        yield client
