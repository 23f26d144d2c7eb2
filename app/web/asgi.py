"""Ground of the pure-ASGI middlewares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(eq=False)
class HttpMiddleware:
    """Middleware of HTTP requests around an application; other scopes, such as its lifespan, pass untouched."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self.handle(scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on to ``self.app``."""
        raise NotImplementedError


def on_start(send: Send, change: Callable[[Message], None]) -> Send:
    """A ``send`` that hands the message which begins a response to ``change`` before it goes out."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            change(message)
        await send(message)

    return sending
