"""`chainwright mcp`."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from importlib.util import find_spec
from typing import Annotated

import typer
import uvicorn

from app.cli import console
from app.cli.address import AddressError, try_to_listen
from app.cli.service import ApiKey, Url, service
from app.web.codes import Code
from app.web.problems import Fault, ProblemError
from chainwright_client import AsyncClient

HOST = "127.0.0.1"


def mcp(
    url: Url = None,
    api_key: ApiKey = None,
    http: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help=f"Serve streamable HTTP at http://{HOST}:PORT/mcp.", metavar="PORT"),
    ] = None,
    model: Annotated[str | None, typer.Option(help="Of the service in this process.")] = None,
) -> None:
    """Serve tools of the Model Context Protocol, to a program that starts this command and speaks by its streams."""
    # No jobs here: a queue in the state directory stays whoever's it is.
    settings = console.settings(model=model, worker="off", queue_url="off")
    if find_spec("mcp") is None:
        message, remedy = "the package mcp is not installed", "pip install 'chainwright[mcp]'"
        console.fail([Fault(field="", code=Code.UNAVAILABLE, message=message, remedy=remedy)])
    try:
        if http is not None:
            try_to_listen(HOST, http, "--http")
        opened = service(url, api_key, settings)
    except AddressError as error:
        console.fail([Fault.parse(error, Code.UNAVAILABLE)])
    except ProblemError as error:
        console.fail(error.faults)
    if http is None:
        # The thread that reads standard input wakes at its next line only: no orderly end would come of Ctrl-C.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    console.run(serve_tools(opened, http))


async def serve_tools(opened: AbstractAsyncContextManager[AsyncClient], http: int | None) -> None:
    """Serve over HTTP at a port, or over the standard streams, until their end."""
    from mcp.server.stdio import stdio_server

    from app.cli.mcp.server import make_server

    if http is None:
        # From here on whatever else writes to standard output writes to standard error.
        async with stdio_server() as (read, write), _opening(opened) as client:
            server = make_server(client)
            await server.run(read, write, server.create_initialization_options())
        return
    async with _opening(opened) as client:
        app = make_server(client).streamable_http_app(host=HOST)
        await uvicorn.Server(uvicorn.Config(app, host=HOST, port=http, log_config=None)).serve()


@asynccontextmanager
async def _opening(opened: AbstractAsyncContextManager[AsyncClient]) -> AsyncIterator[asyncio.Future[AsyncClient]]:
    """The client to come: the model may load for a minute, and whoever starts a server of the protocol waits less.

    If it cannot be loaded, calls raise why.
    """
    client: asyncio.Future[AsyncClient] = asyncio.get_running_loop().create_future()
    ended = asyncio.Event()

    async def hold() -> None:
        try:
            async with opened as got:
                client.set_result(got)
                await ended.wait()
        except Exception as error:
            if client.done():
                raise
            client.set_exception(error)
            if isinstance(error, ProblemError):
                console.say(error.faults)

    holding = asyncio.create_task(hold())
    try:
        yield client
    finally:
        ended.set()
        if not client.done():
            holding.cancel()
        with suppress(asyncio.CancelledError):
            await holding
