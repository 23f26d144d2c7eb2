"""Routes at a path, and near it."""

from __future__ import annotations

from difflib import get_close_matches

from fastapi import FastAPI
from starlette.routing import Match, Mount
from starlette.types import Scope

from app.web.path_policy import UNLISTED

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")


def methods_at(app: FastAPI, path: str, root: str) -> list[str]:
    """The methods that a path below the prefix ``root`` takes, HEAD beside GET; none if there is nothing."""
    asked = {"type": "http", "path": path, "root_path": root, "headers": []}
    found = [method for method in _METHODS if _takes(app, {**asked, "method": method})]
    return sorted([*found, "HEAD"]) if "GET" in found else found


def _takes(app: FastAPI, scope: Scope) -> bool:
    full = [route for route in app.routes if route.matches(scope)[0] is Match.FULL]
    # What is mounted are files, which match whatever the method.
    return any(not isinstance(route, Mount) or scope["method"] == "GET" for route in full)


def near(app: FastAPI, path: str) -> list[str]:
    """Up to three paths that look like one, the likest first."""
    return get_close_matches(path[:200], [*app.openapi()["paths"], *UNLISTED], cutoff=0.7)
