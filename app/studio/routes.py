"""The studio's page and its files, served by the service itself."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"
PAGE = (STATIC / "index.html").read_text(encoding="utf-8")


def content_security_policy(page: str) -> str:
    """The policy of a page that runs its own files and its inline import map, which is named by its hash, alone."""
    inline = re.findall(r'<script type="importmap">(.*?)</script>', page, re.DOTALL)
    hashes = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in inline]
    scripts = " ".join(["'self'", *(f"'sha256-{each}'" for each in hashes)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


class StudioFiles(StaticFiles):
    """Files that browsers ask about anew each time, so that none of an older version runs beside newer ones."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or 304."""
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


router = APIRouter(include_in_schema=False)


@router.get("/studio")
async def studio() -> HTMLResponse:
    """The page."""
    policy = content_security_policy(PAGE)
    return HTMLResponse(PAGE, headers={"Content-Security-Policy": policy, "Cache-Control": "no-cache"})


@router.get("/studio/")
async def with_slash(request: Request) -> RedirectResponse:
    """Leads to the page, whose files are named relative to the address without the slash."""
    return RedirectResponse(f"{request.scope.get('root_path', '')}/studio", 308)


@router.get("/")
async def root(request: Request) -> RedirectResponse:
    """Leads a browser to the page; for other clients there is nothing here.

    Raises:
        HTTPException: 404.
    """
    if "text/html" not in request.headers.get("accept", ""):
        raise HTTPException(404)
    return RedirectResponse(f"{request.scope.get('root_path', '')}/studio", 303)


router.routes.append(Mount("/studio/", GZipMiddleware(StudioFiles(directory=STATIC), minimum_size=500)))
