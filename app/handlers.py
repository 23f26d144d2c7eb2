"""Turns every exception that leaves a route into a problem."""

from __future__ import annotations

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.codes import Code
from app.problems import Fault, ProblemError, make, respond
from app.validation import faults_of

_REMEDIES = {
    404: "call one of the paths listed at /docs",
    405: "use a method that the Allow header names",
}
_CODES = {400: Code.MALFORMED_JSON, 404: Code.NOT_FOUND, 405: Code.METHOD_NOT_ALLOWED}


def install(app: FastAPI) -> None:
    """Register the handlers on an application."""
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    app.add_exception_handler(Exception, _unexpected)


async def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return respond(error.problem(), error.headers)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    if first["type"] == "json_invalid":
        offset = first["loc"][-1]
        reason = first.get("ctx", {}).get("error", "not JSON")
        fault = Fault(
            field="",
            code=Code.MALFORMED_JSON,
            message=f"the body is not JSON: {reason} at offset {offset}",
            remedy=f"mend the JSON at character {offset}",
        )
        return respond(make(400, [fault]))
    return respond(make(422, faults_of(error.errors())))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    code = _CODES.get(error.status_code, Code.MALFORMED)
    message, remedy = str(error.detail), _REMEDIES.get(error.status_code, "see /docs for what this path takes")
    if error.status_code == 400:
        message, remedy = "the body is not JSON in UTF-8", "send one JSON object, encoded in UTF-8, of moderate depth"
    elif error.status_code in (404, 405):
        message = f"{request.method} {request.url.path}: {message}"
    return respond(make(error.status_code, [Fault(field="", code=code, message=message, remedy=remedy)]), error.headers)


async def _gone(request: Request, error: Exception) -> Response:
    fault = Fault(
        field="", code=Code.CLIENT_GONE, message="the client left before its body was complete", remedy="send all of it"
    )
    return respond(make(499, [fault]))


async def _unexpected(request: Request, error: Exception) -> Response:
    structlog.get_logger().error("unexpected error", exc_info=error, path=request.url.path)
    fault = Fault(
        field="",
        code=Code.INTERNAL_ERROR,
        message="something failed inside the service",
        remedy="try again; the log has the cause under this instance's id",
    )
    return respond(make(500, [fault]))
