"""Media types of bodies."""

from __future__ import annotations

from collections.abc import Mapping

from app.web.codes import Code
from app.web.problems import ProblemError, failure

LINES = ("application/jsonl", "application/x-ndjson", "application/x-jsonlines", "application/jsonlines")
"""Media types of JSON Lines; none of them is registered."""


def media_type(headers: Mapping[str, str]) -> str:
    """The type without its parameters, in lower case; empty if there is none.

    Raises:
        ProblemError: 415 if the body is compressed.
    """
    coding = headers.get("content-encoding", "").strip().lower()
    if coding not in ("", "identity"):
        message, remedy = f"the body is encoded as {coding[:80]!r}", "send it uncompressed, without this header"
        headers = {"Accept-Encoding": "identity"}
        raise failure(415, Code.WRONG_MEDIA_TYPE, message, remedy, field="Content-Encoding", headers=headers)
    return headers.get("content-type", "").split(";")[0].strip().lower()


def is_json(kind: str) -> bool:
    """Whether a type is that of one JSON document."""
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def refused(kind: str, *, lines: bool) -> ProblemError:
    """415 for a body of another type.

    Args:
        kind: the type.
        lines: whether JSON Lines would be taken, too.
    """
    also = f", or {LINES[0]} for JSON Lines" if lines else ""
    option = f"-H 'Content-Type: application/json'{also}"
    if kind == "application/x-www-form-urlencoded":
        remedy = f"add {option}: unless told otherwise, curl -d declares a form"
    elif kind.startswith("multipart/"):
        remedy = f"send the JSON as the body itself, as curl --data-binary @FILE does, with {option}"
    elif kind in LINES:
        remedy = "send one JSON object as application/json, or JSON Lines to POST /v1/jobs"
    else:
        remedy = f"send JSON with the header Content-Type: application/json{also}"
    message = f"the body is declared as {kind[:80]!r}" if kind else "the body's type is not declared"
    headers = {"Accept": "application/json" + (f", {LINES[0]}" if lines else "")}
    return failure(415, Code.WRONG_MEDIA_TYPE, message, remedy, field="Content-Type", headers=headers)
