"""Pure-ASGI middleware: bounds on the body, headers for browsers, and a line of log for each request."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.access.keys import Key
from app.web.access.middleware import KEY
from app.web.codes import Code
from app.web.problems import Fault, ProblemError, make, respond

log = structlog.get_logger()


class BodyLimit:
    """Reads the body before the application does; answers 413 as soon as it is too large, 408 if it is too slow.

    Args:
        app: the application.
        most: bytes.
        seconds: that the body may take; for uploads, that the next part of it may take.
        uploads: methods and beginnings of the paths that read their body as it comes, with a bound of their own.
    """

    def __init__(self, app: ASGIApp, most: int, seconds: float, uploads: Sequence[tuple[str, str]] = ()) -> None:
        self.app = app
        self.most = most
        self.seconds = seconds
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if any(scope["method"] == method and scope["path"].startswith(path) for method, path in self.uploads):
            await self.app(scope, _unless_silent(receive, self.seconds), send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        if declared.isdigit() and int(declared) > self.most:
            await self._refuse(scope, receive, send)
            return
        body, messages = 0, list[Message]()
        deadline = asyncio.get_running_loop().time() + self.seconds
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                error = _too_slow(self.seconds)
                await respond(error.problem(), error.headers)(scope, receive, send)
                return
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
            code=Code.TOO_LARGE,
            message=f"the body has more than {self.most} bytes",
            remedy="send less in one request; the fields' own limits are at /v1/models",
        )
        await respond(make(413, [fault]), {"Connection": "close"})(scope, receive, send)


def _too_slow(seconds: float) -> ProblemError:
    fault = Fault(
        field="",
        code=Code.TIMED_OUT,
        message=f"the body stood still, or was not complete, after {seconds:g} seconds",
        remedy="send all that Content-Length declares, or less in one request",
    )
    return ProblemError(408, [fault], {"Connection": "close"})


def _unless_silent(receive: Receive, seconds: float) -> Receive:
    """Messages as they come; 408 from within the application if a body's next part takes too long."""
    complete = False

    async def receiving() -> Message:
        nonlocal complete
        if complete:
            return await receive()
        try:
            async with asyncio.timeout(seconds):
                message = await receive()
        except TimeoutError:
            raise _too_slow(seconds) from None
        complete = not message.get("more_body", False)
        return message

    return receiving


_PAGES = re.compile(r"/docs(/.*)?|/redoc")
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
_OWN = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'"
)


class SecurityHeaders:
    """Tells browsers to run nothing that an answer holds, to guess no types, and to show it in no frame.

    The pages of the documentation run their own scripts. Strict-Transport-Security is for
    whoever speaks TLS, the proxy in front.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        policy = _OWN if _PAGES.fullmatch(scope["path"]) else _NOTHING

        async def adding(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "no-referrer"
                headers["Content-Security-Policy"] = policy
                if scope["path"].startswith("/v1/"):
                    headers.setdefault("Cache-Control", "no-store")
            await send(message)

        await self.app(scope, receive, adding)


class AccessLog:
    """Logs method, path, status, seconds and key of every request, the health checks excepted, and measures it."""

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
            seconds = time.perf_counter() - started
            key: Key | None = scope.get(KEY)
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                seconds=round(seconds, 3),
                **({"key": key.id} if key is not None else {}),
            )
            route = getattr(scope.get("route"), "path", "")
            scope["app"].state.metrics.request(scope["method"], route, status, seconds)
