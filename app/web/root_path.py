"""The path below which a proxy shows the service, whether or not the proxy takes it off."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from app.web.asgi import HttpMiddleware


class _RootPathMiddleware(HttpMiddleware):
    """Ground of both.

    Args:
        app: the application inside.
        root: such as ``/llm``.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        super().__init__(app)
        self.root = root


class StripRootPath(_RootPathMiddleware):
    """Outermost middleware: takes the root path off, so that all others see the service's own paths."""

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on without the root path."""
        if f"{scope['path']}/".startswith(f"{self.root}/"):
            scope["path"] = scope["path"][len(self.root) :] or "/"
        await self.app(scope, receive, send)


class RestoreRootPath(_RootPathMiddleware):
    """Innermost middleware: puts it before the path again, as ASGI has it, for routes and the URLs that they write.

    The other middlewares keep the path that they know, and get the route that was found.
    """

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with the root path."""
        inner = {**scope, "path": f"{self.root}{scope['path']}", "root_path": self.root}
        try:
            await self.app(inner, receive, send)
        finally:
            scope["route"] = inner.get("route")
