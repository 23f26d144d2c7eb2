"""The path below which a proxy shows the service, whether or not the proxy takes it off."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Receive, Scope, Send

from app.web.asgi import HttpMiddleware


@dataclass(eq=False)
class StripRootPath(HttpMiddleware):
    """Outermost middleware: takes a root path such as ``/llm`` off: all others see the service's own paths."""

    root: str

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on without the root path."""
        if f"{scope['path']}/".startswith(f"{self.root}/"):
            scope["path"] = scope["path"][len(self.root) :] or "/"
        await self.app(scope, receive, send)


@dataclass(eq=False)
class RestoreRootPath(HttpMiddleware):
    """Innermost middleware: puts it before the path again, as ASGI has it, for routes and the URLs that they write.

    The other middlewares keep the path that they know, and get the route that was found.
    """

    root: str

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the root path."""
        inner = {**scope, "path": f"{self.root}{scope['path']}", "root_path": self.root}
        try:
            await self.app(inner, receive, send)
        finally:
            scope["route"] = inner.get("route")
