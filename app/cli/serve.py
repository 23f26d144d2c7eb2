"""Runs the service under uvicorn."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from types import FrameType
from typing import Any, NoReturn

import httpx
import structlog
import typer
import uvicorn

from app import logs
from app.cli.address import AddressError, try_to_listen, written
from app.cli.console import conversion_bar, fail
from app.main import create_app
from app.settings.settings import Settings
from app.tasks.keywords.task import Sentences
from app.web.codes import Code
from app.web.drain import Drain
from app.web.problems import Fault, ProblemError

log = structlog.get_logger()


class Server(uvicorn.Server):
    """Server that goes on answering while the application drains; a second signal stops it where it stands.

    uvicorn by itself would close its port at the first signal, and cut streams without a word. So it does
    while the model is not loaded: there is no work then, and the thread that loads cannot be asked to stop,
    but ends with the process that uvicorn gives over to the signal.
    """

    def __init__(self, config: uvicorn.Config, state: Any) -> None:
        super().__init__(config)
        self._state = state
        self._drain: Drain = state.drain
        self._draining: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to drain, in the event loop; at a second signal, stop."""
        if self.loaded and not self._drain.started.is_set():
            asyncio.get_running_loop().call_soon_threadsafe(self._begin)
        else:
            super().handle_exit(sig, frame)

    @property
    def loaded(self) -> bool:
        """Whether requests are served."""
        loading = getattr(self._state, "loading", None)
        return loading is not None and loading.engine is not None

    def _begin(self) -> None:
        if self._draining is None:
            self._draining = asyncio.ensure_future(self._stop())

    async def _stop(self) -> None:
        log.info("stopping", requests=self._drain.busy, seconds=self._drain.seconds)
        await self._drain.run()
        self.should_exit = True


FIRST_REQUEST = {"keywords": ["今天", "公园", "散步"], "seed": 7}


def serve(settings: Settings, *, first_request: bool = False) -> None:
    """Serve until a signal; exits with code 2 if the model cannot be loaded.

    Args:
        settings: of the service.
        first_request: send a request as soon as the model is loaded, and print the answer.
    """
    logs.configure()
    try:
        try_to_listen(settings.host, settings.port)
    except AddressError as error:
        fail([Fault.parse(error, Code.UNAVAILABLE)])
    failures: list[Fault] = []
    with conversion_bar() as progress:

        def stop(reason: Fault) -> None:
            failures.append(reason)
            server.should_exit = True

        try:
            app = create_app(settings, progress=progress, on_failure=stop)
        except ProblemError as error:
            fail(error.faults)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            # After the drain, for connections that do not close.
            timeout_graceful_shutdown=1,
        )
        server = Server(config, app.state)
        asyncio.run(_serve(server, settings, first_request))
    if failures:
        fail(failures)
    if not server.started:
        raise typer.Exit(1)
    if app.state.drain.started.is_set():
        _leave()


def _leave() -> NoReturn:
    """End the process: all is closed, and to take an interpreter with torch apart takes seconds on a busy machine."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def _serve(server: Server, settings: Settings, first_request: bool) -> None:
    first = asyncio.create_task(_first_request(server, settings)) if first_request else None
    try:
        await server.serve()
    finally:
        if first is not None:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)


async def _first_request(server: Server, settings: Settings) -> None:
    while not server.started or not server.loaded:
        if server.should_exit:
            return
        await asyncio.sleep(0.1)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    url = f"http://{written(host, port)}"
    route = f"{url}{Sentences.path}"
    typer.echo(f"POST {route}\n{json.dumps(FIRST_REQUEST, ensure_ascii=False)}")
    async with httpx.AsyncClient(trust_env=False, timeout=300) as client:
        response = await client.post(route, json=FIRST_REQUEST)
    answer = response.raise_for_status().json()
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    studio = f"Studio at {url}/studio\n" if settings.studio == "on" else ""
    typer.echo(f"\n{answer['sentences'][0]['text']}\n\n{studio}Documentation at {url}/docs; Ctrl-C stops.")
