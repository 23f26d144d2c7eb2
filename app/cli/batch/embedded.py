"""The service inside this process: its application, queue and worker, asked without a port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx

from app.cli.console import conversion_bar
from app.main import create_app
from app.settings.settings import Settings
from app.web.problems import ProblemError
from chainwright_client import AsyncClient

LOOK_EVERY = 0.05
"""Seconds between looks at whether the model is loaded."""


@asynccontextmanager
async def embedded(settings: Settings, api_key: str | None) -> AsyncIterator[AsyncClient]:
    """A client of a service that ends with the block; its queue stays in the state directory.

    Raises:
        ProblemError: the model could not be loaded, or the file of API keys cannot be used.
    """
    with conversion_bar() as progress:
        app = create_app(settings, progress=progress)
        async with app.router.lifespan_context(app):
            while app.state.loading.engine is None:
                if app.state.loading.failure is not None:
                    raise ProblemError(503, [app.state.loading.failure])
                await asyncio.sleep(LOOK_EVERY)
            async with AsyncClient(
                "http://embedded", api_key=api_key, transport=httpx.ASGITransport(app, raise_app_exceptions=False)
            ) as client:
                yield client
