"""Bounds on the body, headers for browsers, and a line of log for each request."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import Message, Receive, Scope, Send

from app.web.access.keys import Key
from app.web.access.middleware import KEY
from app.web.asgi import HttpMiddleware, on_start
from app.web.codes import Code
from app.web.path_policy import policy_of
from app.web.problems import ProblemError, failure

log = structlog.get_logger()


@dataclass(eq=False)
class BodyLimit(HttpMiddleware):
    """Reads the body before the application does; answers 413 as soon as it is too large, 408 if it is too slow.

    Attributes:
        most: bytes of the body.
        seconds: for the body to come; where the route reads it itself, for the next part of it.
    """

    most: int
    seconds: float

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on once its body is whole, or as it comes where the route reads it itself."""
        if policy_of(scope).reads_body:
            await self.app(scope, _unless_silent(receive, self.seconds), send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        try:
            self._check(int(declared) if declared.isdigit() else 0)
            messages = iter(await self._read(receive))
        except ProblemError as error:
            await error.response()(scope, receive, send)
            return

        async def replay() -> Message:
            return next(messages, None) or await receive()

        await self.app(scope, replay, send)

    async def _read(self, receive: Receive) -> list[Message]:
        body, messages = 0, list[Message]()
        deadline = asyncio.get_running_loop().time() + self.seconds
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise _too_slow(self.seconds) from None
            messages.append(message)
            body += len(message.get("body", b""))
            self._check(body)
            if message["type"] == "http.disconnect" or not message.get("more_body", False):
                return messages

    def _check(self, size: int) -> None:
        if size > self.most:
            remedy = "send less in one request; the fields' own limits are at /v1/models"
            message = f"the body has more than {self.most} bytes"
            raise failure(413, Code.TOO_LARGE, message, remedy, headers={"Connection": "close"})


def _too_slow(seconds: float) -> ProblemError:
    message = f"the body stood still, or was not complete, after {seconds:g} seconds"
    remedy = "send all that Content-Length declares, or less in one request"
    return failure(408, Code.TIMED_OUT, message, remedy, headers={"Connection": "close"})


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


_NO_CONTENT = "default-src 'none'; frame-ancestors 'none'"
_OWN_CONTENT = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; worker-src 'self' blob:; frame-ancestors 'none'"
)


class SecurityHeaders(HttpMiddleware):
    """Tells browsers to run nothing that an answer holds, to guess no types, and to show it in no frame.

    The pages of the documentation run their own scripts; the studio's says itself what it runs.
    Strict-Transport-Security is for the TLS proxy in front.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Add the headers to the answer."""
        policy = policy_of(scope)

        def add(message: Message) -> None:
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            headers["Referrer-Policy"] = "no-referrer"
            headers.setdefault("Content-Security-Policy", _OWN_CONTENT if policy.is_page else _NO_CONTENT)
            if not policy.cached:
                headers.setdefault("Cache-Control", "no-store")

        await self.app(scope, receive, on_start(send, add))


class AccessLog(HttpMiddleware):
    """Logs method, path, status, seconds and key of every request, the health checks excepted, and measures it."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Log the request once it is answered."""
        if not policy_of(scope).logged:
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 0

        def note(message: Message) -> None:
            nonlocal status
            status = message["status"]

        try:
            await self.app(scope, receive, on_start(send, note))
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
