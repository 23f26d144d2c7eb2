"""A real server on a loopback port, in a thread."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient


@contextmanager
def serving(app: FastAPI, port: int = 0) -> Iterator[str]:
    """The server's URL, once its model is loaded."""
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, timeout_graceful_shutdown=2))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        deadline = time.monotonic() + 300
        while not server.started or app.state.loading.engine is None:
            assert time.monotonic() < deadline and thread.is_alive()
            time.sleep(0.02)
        port = server.servers[0].sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(300)
        assert not thread.is_alive()


def connected(url: str) -> socket.socket:
    """A bare connection to a server, for what no client library would send."""
    return socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=300)


def until(condition: Callable[[], object], seconds: float = 300) -> None:
    """Wait until ``condition()`` holds; long enough for any machine, so what never ends is told from what is slow."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)


def post(url: str, body: dict[str, object]) -> httpx.Response:
    """POST /v1/sentences."""
    return httpx.post(f"{url}/v1/sentences", json=body, timeout=300, trust_env=False)


def bridge(client: TestClient) -> httpx.MockTransport:
    """A transport of httpx to the application of a test client, whose own may be another library's."""

    def answer(request: httpx.Request) -> httpx.Response:
        found = client.request(request.method, request.url.path, content=request.content, headers=dict(request.headers))
        return httpx.Response(found.status_code, content=found.content, headers=dict(found.headers))

    return httpx.MockTransport(answer)
