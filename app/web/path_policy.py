"""Policy by path: keys, limits, logs and bodies of each beginning of a path, in one table."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.types import Scope


@dataclass(frozen=True, slots=True)
class PathPolicy:
    """Treatment of requests to a path by the middlewares.

    Attributes:
        path: whole; or the beginning of all that are meant, if it ends in a slash and is more than that.
        method: the only one meant; None for all.
        needs_key: whether callers need a key, where keys are needed, and are counted by the limiter.
        probe: whether it is answered while the service stops, which does not wait for it, and has no trace.
        logged: whether requests stand in the log and are measured.
        reads_body: whether the route reads its body itself, as it comes, with a bound of its own.
        is_page: whether it is a page that runs scripts of its own.
        cached: whether clients and proxies may keep answers.
    """

    path: str = "/"
    method: str | None = None
    needs_key: bool = True
    probe: bool = False
    logged: bool = True
    reads_body: bool = False
    is_page: bool = False
    cached: bool = True

    def covers(self, method: str, path: str) -> bool:
        """Whether this row is for a request."""
        below = self.path != "/" and self.path.endswith("/") and path.startswith(self.path)
        return (below or path == self.path) and self.method in (None, method)


POLICIES = (
    PathPolicy("/health", needs_key=False, probe=True, logged=False),
    PathPolicy("/ready", needs_key=False, probe=True, logged=False),
    PathPolicy("/metrics", probe=True),
    # The documentation is no secret.
    PathPolicy("/openapi.json", needs_key=False),
    PathPolicy("/docs", needs_key=False, is_page=True),
    PathPolicy("/docs/", needs_key=False, is_page=True),
    PathPolicy("/redoc", needs_key=False, is_page=True),
    PathPolicy("/static-offline-docs/", needs_key=False),
    # Nor is the studio's page, to which the root leads, and which asks for the key that its requests need.
    PathPolicy("/", "GET", needs_key=False),
    PathPolicy("/studio", needs_key=False),
    PathPolicy("/studio/", needs_key=False, logged=False),
    PathPolicy("/v1/indexes/", "PUT", reads_body=True, cached=False),
    PathPolicy("/v1/jobs", "POST", reads_body=True, cached=False),
    PathPolicy("/v1/files", "POST", reads_body=True, cached=False),
    PathPolicy("/v1/", cached=False),
)
"""The first row that covers a request counts; none of them leaves it to the defaults."""

UNLISTED = tuple(each.path for each in POLICIES if not (each.needs_key or each.probe or each.path.endswith("/")))
"""Paths that the OpenAPI document does not list."""


def policy_at(method: str, path: str) -> PathPolicy:
    """The policy for a method and a path."""
    return next((policy for policy in POLICIES if policy.covers(method, path)), PathPolicy())


def policy_of(scope: Scope) -> PathPolicy:
    """The policy for a request's ASGI scope."""
    return policy_at(scope["method"], scope["path"])
