"""Lines of results and errors, in the shape of OpenAI's Batch API."""

from __future__ import annotations

import json
from typing import Any

from app.jobs.schemas import ItemError, ItemResponse, ResultLine
from app.web.json_text import one_line
from app.web.problems import ProblemError

MESSAGES = {
    "job_cancelled": "the job was cancelled before this item was done",
    "job_expired": "the job expired before this item was done",
    "job_failed": "the job failed before this item was done",
}
"""Messages of items without a result, by error code."""


def result_line(job_id: str, number: int, custom_id: str, body: dict[str, Any]) -> str:
    """Line of an item with an answer."""
    return _text(job_id, number, custom_id, (200, body), None)


def error_line(
    job_id: str,
    number: int,
    custom_id: str,
    code: str,
    message: str,
    status: int | None = None,
    problem: dict[str, Any] | None = None,
) -> str:
    """Line of an item without one, with the problem of its route, if any."""
    response = None if status is None else (status, problem)
    return _text(job_id, number, custom_id, response, ItemError(code=code, message=message))


def problem_line(job_id: str, number: int, custom_id: str, error: ProblemError) -> str:
    """Line of an item that its route refuses."""
    problem = error.problem().model_dump(exclude_none=True, exclude={"instance"})
    code = str(problem["type"]).rpartition(":")[2].replace("-", "_")
    return error_line(job_id, number, custom_id, code, str(problem["detail"]), error.status, problem)


def undone_line(job_id: str, number: int, custom_id: str, status: str) -> str:
    """Line of an item without a result when its job ended."""
    code = f"job_{status}"
    return error_line(job_id, number, custom_id, code, MESSAGES[code])


def is_error(line: str) -> bool:
    """Whether a line belongs to /errors."""
    return not line.endswith('"error":null}')


def _text(job_id: str, number: int, custom_id: str, response: tuple[int, Any] | None, error: ItemError | None) -> str:
    """Text of a line.

    Args:
        response: status and body.
    """
    name = f"{job_id}-{number}"
    answer = None if response is None else ItemResponse(status_code=response[0], request_id=name, body=response[1])
    line = ResultLine(id=name, custom_id=custom_id, response=answer, error=error)
    text = json.dumps(line.model_dump(), ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate that came in with a name is written escaped.
    return one_line(text.encode("utf-8", "backslashreplace").decode())
