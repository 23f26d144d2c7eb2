from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.main import create_app
from app.settings.settings import Limits, Settings
from chainwright_client import AsyncClient, Client
from tests.app.conftest import key_model_folder, model_folder, settings
from tests.support.live import serving

__all__ = ["key_model_folder", "model_folder", "settings"]


@pytest.fixture(scope="session")
def live(settings: Settings) -> Iterator[str]:
    """URL of a service with a queue and a worker; a short path, for the queue's socket."""
    with tempfile.TemporaryDirectory(prefix="cw") as folder:
        more = {"state_dir": Path(folder), "limits": Limits(max_running=2, max_waiting=0)}
        with serving(create_app(settings.model_copy(update=more))) as url:
            yield url


class Awaited:
    """An AsyncClient, or a task of it, called like a Client; iterators come as lists."""

    def __init__(self, called: Any, loop: asyncio.AbstractEventLoop) -> None:
        self.called = called
        self.loop = loop

    def __getattr__(self, name: str) -> Awaited:
        return Awaited(getattr(self.called, name), self.loop)

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        result = self.called(*arguments, **options)
        work = listed(result) if hasattr(result, "__aiter__") else result
        return self.loop.run_until_complete(work)


async def listed(values: AsyncIterator[Any]) -> list[Any]:
    return [value async for value in values]


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, live: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Either client, at the service."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    if request.param == "sync":
        with Client(live) as sync:
            yield sync
        return
    with asyncio.Runner() as runner:
        loop = runner.get_loop()
        opened = AsyncClient(live)
        yield Awaited(opened, loop)
        loop.run_until_complete(opened.close())
