"""Errors as problem+json (RFC 9457): one shape for every failure, with a remedy for each fault."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Literal, Self
from uuid import UUID

from asgi_correlation_id import correlation_id
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from app.web.codes import Code

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    field: str = Field(description="where, such as sampler.steps or keywords[3]; empty for the request as a whole")
    code: Code = Field(description="what is wrong, in a word that programs may rely on; docs/api.md lists them")
    message: str = Field(description="what is wrong")
    remedy: str = Field(description="how to mend the call")

    @classmethod
    def parse(cls, error: object, code: Code, field: str = "") -> Self:
        """The fault of an error whose text ends in ``; remedy: how to mend it``."""
        message, _, remedy = str(error).partition("; remedy: ")
        return cls(field=field, code=code, message=message, remedy=remedy or "see /docs")


class OpenAIError(BaseModel):
    """The failure where clients of OpenAI's API look for it: `param` and `code` are the first fault's."""

    message: str
    type: Literal["invalid_request_error", "server_error"]
    param: str | None = Field(default=None, description="the fault's field")
    code: Code


class Problem(BaseModel):
    """What every failed request answers."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:chainwright:problem:invalid-request",
                "title": "Invalid request",
                "status": 422,
                "detail": "keywords: there are none. Give at least one keyword.",
                "instance": "urn:uuid:0b5b6f0e-9e0f-4d3c-9f5e-0f9f3a9c6d1b",
                "errors": [
                    {
                        "field": "keywords",
                        "code": "missing",
                        "message": "there are none",
                        "remedy": "give at least one keyword",
                    },
                ],
                "error": {
                    "message": "keywords: there are none. Give at least one keyword.",
                    "type": "invalid_request_error",
                    "param": "keywords",
                    "code": "missing",
                },
            }
        }
    )

    type: str = Field(description="a URN that names the kind of problem")
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    instance: str | None = Field(
        default=None, description="this occurrence; the same id as the X-Request-ID header and the log"
    )
    errors: list[Fault] = Field(default_factory=list)
    error: OpenAIError | None = Field(default=None, description="the same for clients of OpenAI's API")


KINDS: dict[int, tuple[str, str, str]] = {
    400: (
        "bad-request",
        "The body cannot be read, or asks for what this route does not do",
        "The body is not JSON, or asks for what this route does not do; the problem says where and why",
    ),
    401: ("unauthorized", "An API key is needed", "There is no API key, or it is unknown or revoked"),
    404: ("not-found", "There is nothing here", "There is nothing at this path, or no index of this name"),
    405: ("method-not-allowed", "Not with this method", "Not with this method"),
    408: ("body-too-slow", "The body did not come in time", "The body did not come in time"),
    409: (
        "conflict",
        "The index is in no state for this",
        "The index is being built, or was built for another model, or is damaged",
    ),
    413: ("body-too-large", "The body is too large", "The body is too large"),
    415: ("not-json", "The body is not declared as JSON", "The body is not declared as JSON, or is compressed"),
    422: ("invalid-request", "Invalid request", "The request cannot be met; `errors` names each field and its remedy"),
    429: (
        "too-many-requests",
        "Too many requests",
        "Too many requests are running and waiting, or the caller's rate or quota is used up",
    ),
    499: ("client-gone", "The client left", "The client left"),
    500: ("internal-error", "Internal error", "Internal error"),
    503: (
        "not-ready",
        "Not ready",
        "The model is still loading, or could not be loaded, or the service is stopping",
    ),
    504: ("timed-out", "The answer took too long", "The answer took too long"),
}
"""Name, title and description of each status."""


class ProblemError(Exception):
    """A failure that is answered as a problem, with at least one fault and maybe headers of its own."""

    def __init__(self, status: int, faults: Sequence[Fault], headers: Mapping[str, str] | None = None) -> None:
        self.status = status
        self.faults = list(faults)
        self.headers = dict(headers or {})
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in self.faults))

    def problem(self) -> Problem:
        """The problem document; its detail is made of the first faults."""
        name, title, _ = KINDS.get(self.status) or _standard_kind(self.status)
        request_id = correlation_id.get()
        return Problem(
            type=f"urn:chainwright:problem:{name}",
            title=title,
            status=self.status,
            detail=" ".join(map(_sentence, self.faults[:3])) or title,
            instance=UUID(request_id).urn if request_id else None,
            errors=self.faults,
        )

    def response(self) -> Response:
        """The problem as a response; a lone surrogate that came in with a field's name is written escaped."""
        problem, first = self.problem(), self.faults[0]
        kind: Literal["invalid_request_error", "server_error"]
        kind = "server_error" if self.status >= 500 else "invalid_request_error"
        problem.error = OpenAIError(message=problem.detail, type=kind, param=first.field or None, code=first.code)
        text = json.dumps(problem.model_dump(exclude_none=True), ensure_ascii=False)
        return Response(text.encode("utf-8", "backslashreplace"), self.status, self.headers, MEDIA_TYPE)


def failure(
    status: int, code: Code, message: str, remedy: str, *, field: str = "", headers: Mapping[str, str] | None = None
) -> ProblemError:
    """A problem with one fault."""
    return ProblemError(status, [Fault(field=field, code=code, message=message, remedy=remedy)], headers)


def invalid(field: str, code: Code, message: str, remedy: str) -> ProblemError:
    """A 422 with one fault."""
    return failure(422, code, message, remedy, field=field)


def refuse(faults: Sequence[Fault]) -> None:
    """Raise a 422 with the first of the faults, if there are any.

    Raises:
        ProblemError: 422.
    """
    if faults:
        raise ProblemError(422, list(faults[:20]))


class UnfitError(ValueError):
    """A validator's refusal of a value, with the fault's code and remedy."""

    def __init__(self, code: Code, message: str, remedy: str) -> None:
        self.code = code
        self.remedy = remedy
        super().__init__(message)


def _standard_kind(status: int) -> tuple[str, str, str]:
    known = HTTPStatus(status)
    return known.name.lower().replace("_", "-"), known.phrase, known.description


def _sentence(fault: Fault) -> str:
    what = f"{fault.field}: {fault.message}" if fault.field else _capital(fault.message)
    return f"{what}. {_capital(fault.remedy)}."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
