"""Handlers that answer every exception which leaves a route with a problem."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.web.codes import Code
from app.web.paths import methods_at, near
from app.web.problems import ProblemError, failure
from app.web.validation import faults_of


def install(app: FastAPI) -> None:
    """Register the handlers on an application."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(404, _nothing_here)
    app.add_exception_handler(405, _other_method)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return error.response()


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return ProblemError(422, faults_of(error.errors())).response()


async def _nothing_here(request: Request, error: Exception) -> Response:
    path, bare = request.scope["path"], request.scope["path"].rstrip("/")
    if bare != path and methods_at(request.app, bare, _root(request)):
        remedy = f"leave the slash at its end out: {bare}"
    elif found := near(request.app, path.removeprefix(_root(request))):
        remedy = f"did you mean {' or '.join(found)}? /docs lists all paths"
    else:
        remedy = "call one of the paths listed at /docs"
    message = f"{request.method} {path[:200]}: there is nothing at this path"
    return failure(404, Code.NOT_FOUND, message, remedy).response()


async def _other_method(request: Request, error: Exception) -> Response:
    path = request.scope["path"]
    methods = methods_at(request.app, path, _root(request))
    if "access-control-request-method" in request.headers:
        remedy = "name the page's origin in the setting CHAINWRIGHT_CORS_ORIGINS of the service"
    else:
        remedy = f"use {' or '.join(methods)}"
    message = f"{request.method} {path[:200]}: this path does not take this method"
    return failure(405, Code.METHOD_NOT_ALLOWED, message, remedy, headers={"Allow": ", ".join(methods)}).response()


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    remedy = "see /docs for what this path takes"
    return failure(error.status_code, Code.MALFORMED, str(error.detail), remedy, headers=error.headers).response()


async def _gone(request: Request, error: Exception) -> Response:
    message = "the client left before its body was complete"
    return failure(499, Code.CLIENT_GONE, message, "send all of it").response()


async def _unexpected(request: Request, error: Exception) -> Response:
    structlog.get_logger().error("unexpected error", exc_info=error, path=request.scope["path"])
    remedy = "try again; the log has the cause under this instance's id"
    message = "something failed inside the service"
    # The server drops the connection after it: a client that kept it would see its next request reset.
    return failure(500, Code.INTERNAL_ERROR, message, remedy, headers={"connection": "close"}).response()


def _root(request: Request) -> str:
    """The prefix below which the application is; a mount keeps it under another name and adds its own path."""
    root: str = request.scope.get("app_root_path", request.scope.get("root_path", ""))
    return root
