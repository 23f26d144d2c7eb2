"""Body of POST /v1/jobs as numbered lines, not checked yet."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from pydantic import Field

from app.jobs.schemas import ExpiresAfter, OnInvalid, Priority
from app.web.codes import Code
from app.web.json_text import read_json, wide
from app.web.media import LINES, is_json, refused
from app.web.problems import Fault, ProblemError, invalid
from app.web.schemas import Strict
from app.web.validation import validated


class Envelope(Strict):
    """JSON submission, its items not checked yet."""

    items: list[Any] | None = Field(default=None, min_length=1)
    url: str | None = Field(default=None, max_length=200)
    bodies: list[Any] | None = Field(default=None, min_length=1)
    on_invalid: OnInvalid | None = None
    priority: Priority | None = None
    expires_after: ExpiresAfter | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a job; None where none was given."""

    on_invalid: OnInvalid | None = None
    priority: Priority | None = None
    expires_after: float | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """Lines of a submission.

    Attributes:
        lines: each the JSON value of an item, or the fault for which it cannot be read; numbers count from 0.
        where: name of a line's field in a fault.
    """

    lines: list[Any | Fault]
    where: Callable[[int, str], str]
    options: Options


def read_submission(kind: str, content: bytes, options: Options) -> Submission:
    """Lines of a body; may take seconds, so keep it off the event loop.

    Args:
        kind: its media type.
        content: the body.
        options: of the URL's query, before those of the body.

    Raises:
        ProblemError: 400, 415 or 422.
    """
    if kind in LINES:
        numbered = list(_lines(content))
        lines = [line for _, line in numbered]
        return Submission(lines, lambda item, field: f"line {numbered[item][0]}{': ' if field else ''}{field}", options)
    if is_json(kind):
        return _document(content, options)
    raise refused(kind, lines=True)


def _lines(content: bytes) -> Iterator[tuple[int, Any | Fault]]:
    """Lines that are not blank, with their numbers in the body, from 1.

    Raises:
        ProblemError: 422 if there are none, or in an encoding of wide characters.
    """
    if encoding := wide(content):
        message, remedy = f"the lines are {encoding}", f"send UTF-8: iconv -f {encoding} -t UTF-8 makes it so"
        raise invalid("line 1", Code.NOT_UNICODE, message, remedy)
    content = content.removeprefix(codecs.BOM_UTF8)
    if not content.strip():
        raise invalid("", Code.MISSING, "there are no lines", "send one item a line")
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            try:
                yield number, read_json(line, line=True)
            except ProblemError as error:
                yield number, error.faults[0]


def _document(content: bytes, options: Options) -> Submission:
    given = validated(Envelope, read_json(content))
    chosen = replace(
        options,
        on_invalid=options.on_invalid or given.on_invalid,
        priority=options.priority or given.priority,
        expires_after=options.expires_after or given.expires_after,
    )
    if given.items is not None and given.url is None and given.bodies is None:
        return Submission(given.items, lambda number, field: f"items[{number}]{'.' if field else ''}{field}", chosen)
    if given.items is None and given.url is not None and given.bodies is not None:
        url = given.url
        lines: list[Any | Fault] = [{"url": url, "body": body} for body in given.bodies]
        return Submission(lines, _body_field, chosen)
    message = "a job is made of `items`, or of `url` and `bodies`"
    raise invalid("items", Code.CONTRADICTORY, message, "give either the one or the other")


def _body_field(number: int, field: str) -> str:
    if field == "url":
        return "url"
    inner = field.removeprefix("body").removeprefix(".")
    return f"bodies[{number}]{'.' if inner else ''}{inner}"
