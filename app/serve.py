"""Runs the service under uvicorn."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from typing import Any

import typer
import uvicorn

from app import logs
from app.console import conversion_bar, fail
from app.main import create_app
from app.problems import Fault
from app.settings import Settings

FIRST_REQUEST = {"keywords": ["今天", "公园", "散步"], "seed": 7}


def serve(settings: Settings, *, first_request: bool = False) -> None:
    """Serve until told to stop.

    Args:
        settings: where and what.
        first_request: send a request as soon as the model is loaded, and print the answer.

    Exits with code 2 if the model cannot be loaded.
    """
    logs.configure()
    failures: list[str] = []
    with conversion_bar() as progress:

        def stop(reason: str) -> None:
            failures.append(reason)
            server.should_exit = True

        app = create_app(settings, progress=progress, on_failure=stop)
        config = uvicorn.Config(
            app,
            host=settings.host,
            port=settings.port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=settings.drain_seconds,
        )
        server = uvicorn.Server(config)
        asyncio.run(_serve(server, app.state, first_request))
    if failures:
        fail([Fault(field="CHAINWRIGHT_MODEL", message=failures[0], remedy="name another model, or mend this one")])
    if not server.started:
        raise typer.Exit(1)


async def _serve(server: uvicorn.Server, state: Any, first_request: bool) -> None:
    first = asyncio.create_task(_first_request(server, state)) if first_request else None
    try:
        await server.serve()
    finally:
        if first is not None:
            first.cancel()
            await asyncio.gather(first, return_exceptions=True)


async def _first_request(server: uvicorn.Server, state: Any) -> None:
    while not server.started or getattr(state, "loading", None) is None or state.loading.engine is None:
        if server.should_exit:
            return
        await asyncio.sleep(0.1)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    body = json.dumps(FIRST_REQUEST, ensure_ascii=False)
    typer.echo(f"POST {url}/v1/sentences\n{body}")
    answer = await asyncio.to_thread(_post, f"{url}/v1/sentences", body.encode())
    typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
    typer.echo(f"\n{answer['sentences'][0]['text']}\n\nServing on {url}, documentation at {url}/docs; Ctrl-C stops.")


def _post(url: str, body: bytes) -> Any:
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=300) as response:
        return json.load(response)
