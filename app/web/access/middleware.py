"""Pure-ASGI middleware: a key, a rate and a quota before anything else is done for a request."""

from __future__ import annotations

import re

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.web.access.keys import Key
from app.web.access.limiter import Limiter, Verdict
from app.web.access.ring import KeyRing
from app.web.codes import Code
from app.web.problems import Fault, make, respond

OPEN = re.compile(r"/(health|ready|openapi\.json|docs(/.*)?|redoc|static-offline-docs/.*)")
"""Paths that need no key and are not counted: probes have none, and the documentation is no secret."""

KEY = "chainwright.key"
"""Under which the scope has the caller's :class:`app.web.access.keys.Key`, or None in an open service."""


class Access:
    """Answers 401 without a key, where keys are needed, and 429 beyond a rate or quota.

    Args:
        app: the application; its state has a ``limiter``.
        ring: the keys.
    """

    def __init__(self, app: ASGIApp, ring: KeyRing) -> None:
        self.app = app
        self.ring = ring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or OPEN.fullmatch(scope["path"]):
            await self.app(scope, receive, send)
            return
        key: Key | None = None
        if self.ring.protected:
            token = token_of(Headers(scope=scope))
            key = self.ring.find(token) if token is not None else None
            if key is None:
                await _unauthorized(token, scope, receive, send)
                return
        scope[KEY] = key
        limiter: Limiter = scope["app"].state.limiter
        if key is not None:
            verdict = await limiter.hit(key.id, key.rate, key.quota)
        else:
            client = scope.get("client")
            verdict = await limiter.hit(client[0] if client else "")
        if verdict.over is not None:
            await _over(verdict, scope, receive, send)
            return

        async def telling(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(verdict.headers)
            await send(message)

        await self.app(scope, receive, telling)


def token_of(headers: Headers) -> str | None:
    """The key of ``Authorization: Bearer`` or ``X-API-Key``; None if there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return headers.get("x-api-key")


async def _unauthorized(token: str | None, scope: Scope, receive: Receive, send: Send) -> None:
    fault = Fault(
        field="Authorization",
        code=Code.UNAUTHORIZED,
        message="there is no API key" if token is None else "the API key is unknown or revoked",
        remedy="send the header Authorization: Bearer KEY, or X-API-Key: KEY, with a key of the service's operator",
    )
    challenge = 'Bearer realm="chainwright"' + ("" if token is None else ', error="invalid_token"')
    await respond(make(401, [fault]), {"WWW-Authenticate": challenge})(scope, receive, send)


async def _over(verdict: Verdict, scope: Scope, receive: Receive, send: Send) -> None:
    over = verdict.over
    assert over is not None
    fault = Fault(
        field="",
        code=Code.OVER_RATE,
        message=f"the {over.name} of {over.limit} requests in {over.seconds} seconds is used up",
        remedy=f"try again in {over.reset} seconds, as the Retry-After header says, or ask the operator for more",
    )
    await respond(make(429, [fault]), verdict.headers)(scope, receive, send)
