"""A key, a rate and a quota before anything else is done for a request."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Receive, Scope, Send

from app.web.access.keys import Key
from app.web.access.limiter import Limiter, Verdict, Window
from app.web.access.ring import KeyRing
from app.web.asgi import HttpMiddleware, on_start
from app.web.codes import Code
from app.web.path_policy import policy_of
from app.web.problems import ProblemError, failure

KEY = "chainwright.key"
"""Name in the ASGI scope of the caller's :class:`app.web.access.keys.Key`; None there in an open service."""


@dataclass(eq=False)
class AccessMiddleware(HttpMiddleware):
    """Answers 401 without a key of the ring, where keys are needed, and 429 beyond a rate or quota."""

    ring: KeyRing

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass if its caller may call now."""
        if not policy_of(scope).needs_key:
            await self.app(scope, receive, send)
            return
        key: Key | None = None
        if self.ring.protected:
            token = token_of(Headers(scope=scope))
            key = self.ring.find(token) if token is not None else None
            if key is None:
                await _unauthorized(token).response()(scope, receive, send)
                return
        scope[KEY] = key
        limiter: Limiter = scope["app"].state.limiter
        if key is not None:
            verdict = await limiter.hit(key.id, key.rate, key.quota)
        else:
            client = scope.get("client")
            verdict = await limiter.hit(client[0] if client else "")
        if verdict.over is not None:
            await _over(verdict, verdict.over).response()(scope, receive, send)
        else:
            add = on_start(send, lambda message: MutableHeaders(scope=message).update(verdict.headers))
            await self.app(scope, receive, add)


def token_of(headers: Headers) -> str | None:
    """The key of ``Authorization: Bearer`` or ``X-API-Key``; None if there is none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return token.strip()
    return headers.get("x-api-key")


def _unauthorized(token: str | None) -> ProblemError:
    message = "there is no API key" if token is None else "the API key is unknown or revoked"
    remedy = "send the header Authorization: Bearer KEY, or X-API-Key: KEY, with a key of the service's operator"
    challenge = 'Bearer realm="chainwright"' + ("" if token is None else ', error="invalid_token"')
    headers = {"WWW-Authenticate": challenge}
    return failure(401, Code.UNAUTHORIZED, message, remedy, field="Authorization", headers=headers)


def _over(verdict: Verdict, limit: Window) -> ProblemError:
    message = f"the {limit.name} of {limit.limit} requests in {limit.seconds} seconds is used up"
    remedy = f"try again in {limit.reset} seconds, as the Retry-After header says, or ask the operator for more"
    return failure(429, Code.OVER_RATE, message, remedy, headers=verdict.headers)
