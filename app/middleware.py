"""Pure-ASGI middleware: a bound on the body, and a line of log for each request."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.problems import Fault, make, respond

log = structlog.get_logger()


class BodyLimit:
    """Reads the body before the application does, and answers 413 as soon as it is too large.

    Args:
        app: the application.
        most: bytes.
        uploads: methods and beginnings of the paths that read their body as it comes, with a bound of their own.
    """

    def __init__(self, app: ASGIApp, most: int, uploads: Sequence[tuple[str, str]] = ()) -> None:
        self.app = app
        self.most = most
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or any(
            scope["method"] == method and scope["path"].startswith(path) for method, path in self.uploads
        ):
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.most:
            await self._refuse(scope, receive, send)
            return
        body, messages = 0, list[Message]()
        while True:
            message = await receive()
            messages.append(message)
            body += len(message.get("body", b""))
            if body > self.most:
                await self._refuse(scope, receive, send)
                return
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                break
        waiting = iter(messages)

        async def replay() -> Message:
            return next(waiting, None) or await receive()

        await self.app(scope, replay, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = Fault(
            field="",
            message=f"the body has more than {self.most} bytes",
            remedy="send less in one request; the fields' own limits are at /v1/models",
        )
        await respond(make(413, [fault]), {"Connection": "close"})(scope, receive, send)


class AccessLog:
    """Logs method, path, status and seconds of every request, the health checks excepted."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ("/health", "/ready"):
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                seconds=round(time.perf_counter() - started, 3),
            )
