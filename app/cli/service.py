"""The service that a command asks as its client: another's by its URL, or one inside this process, without a port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated

import httpx
import typer

from app.cli.console import conversion_bar
from app.main import create_app
from app.settings.settings import Settings
from app.web.codes import Code
from app.web.problems import ProblemError, invalid
from chainwright_client import AsyncClient

LOOK_EVERY = 0.05
"""Seconds between looks at whether the model is loaded."""

Url = Annotated[
    str | None, typer.Option(help="Of a service; if not given, one runs in this process.", envvar="CHAINWRIGHT_URL")
]
ApiKey = Annotated[str | None, typer.Option(help="Of that service.", envvar="CHAINWRIGHT_API_KEY", show_envvar=True)]


def service(url: str | None, api_key: str | None, settings: Settings) -> AbstractAsyncContextManager[AsyncClient]:
    """A client, once entered, of the service at a URL, or if there is none of one that ends with the block.

    Raises:
        ProblemError: the URL or key cannot be one; when entered, the model could not be loaded, or the file of API
            keys cannot be used.
    """
    if not url:
        return _embedded(settings, api_key)
    try:
        return AsyncClient(url, api_key=api_key)
    except ValueError as error:
        message, _, remedy = str(error).partition("; ")
        raise invalid("--url", Code.MALFORMED, message, remedy) from None


@asynccontextmanager
async def _embedded(settings: Settings, api_key: str | None) -> AsyncIterator[AsyncClient]:
    """A client of a service whose queue stays in the state directory."""
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
