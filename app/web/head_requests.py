"""HEAD wherever there is GET, with the status and the headers of GET."""

from __future__ import annotations

import asyncio

from starlette.types import Message, Receive, Scope, Send

from app.web.asgi import HttpMiddleware


class HeadMiddleware(HttpMiddleware):
    """Asks the application for GET and ends the answer behind its headers: a stream is not begun, nor a file read."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass HEAD on as GET."""
        if scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return
        answered = asyncio.Event()
        body = [await receive()]

        async def receiving() -> Message:
            if body:
                return body.pop()
            await answered.wait()
            return {"type": "http.disconnect"}

        async def headers_only(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
                await send({"type": "http.response.body"})
                answered.set()

        # Below 2.4, starlette's streams end when the client leaves, and here it seems to leave with the headers.
        asgi = {**scope.get("asgi", {}), "spec_version": "2.3"}
        inner = {**scope, "method": "GET", "asgi": asgi}
        await self.app(inner, receiving, headers_only)
        if "route" in inner:
            scope["route"] = inner["route"]
