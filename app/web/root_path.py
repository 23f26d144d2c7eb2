"""The path below which a proxy shows the service, whether or not the proxy takes it off."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send


class WithoutRoot:
    """Outermost middleware: takes the root path off, so that all others see the service's own paths.

    Args:
        app: the application.
        root: such as ``/llm``.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app = app
        self.root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and f"{scope['path']}/".startswith(f"{self.root}/"):
            scope["path"] = scope["path"][len(self.root) :] or "/"
        await self.app(scope, receive, send)


class WithRoot:
    """Innermost middleware: puts it before the path again, as ASGI has it, for routes and the URLs that they write.

    The other middlewares keep the path that they know, and get the route that was found.
    """

    def __init__(self, app: ASGIApp, root: str) -> None:
        self.app = app
        self.root = root

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        inner = {**scope, "path": f"{self.root}{scope['path']}", "root_path": self.root}
        try:
            await self.app(inner, receive, send)
        finally:
            scope["route"] = inner.get("route")
