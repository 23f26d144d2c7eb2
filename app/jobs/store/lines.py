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
"""What is said of items that never were done, by the job's status."""


def result_line(job_id: str, number: int, custom_id: str, body: dict[str, Any]) -> str:
    """The line of an item with an answer."""
    return _text(_id(job_id, number), custom_id, ItemResponse(status_code=200, body=body), None)


def error_line(
    job_id: str,
    number: int,
    custom_id: str,
    code: str,
    message: str,
    status: int | None = None,
    problem: dict[str, Any] | None = None,
) -> str:
    """The line of an item without one; with the problem that its route would have answered, if there is one."""
    response = None if status is None else ItemResponse(status_code=status, body=problem)
    return _text(_id(job_id, number), custom_id, response, ItemError(code=code, message=message))


def problem_line(job_id: str, number: int, custom_id: str, error: ProblemError) -> str:
    """The line of an item that its route refuses."""
    problem = error.problem().model_dump(exclude_none=True, exclude={"instance"})
    code = str(problem["type"]).rpartition(":")[2].replace("-", "_")
    return error_line(job_id, number, custom_id, code, str(problem["detail"]), error.status, problem)


def undone_line(job_id: str, number: int, custom_id: str, status: str) -> str:
    """The line of an item that was not done when its job ended."""
    code = f"job_{status}"
    return error_line(job_id, number, custom_id, code, MESSAGES[code])


def is_error(line: str) -> bool:
    """Whether a line belongs to /errors."""
    return not line.endswith('"error":null}')


def _id(job_id: str, number: int) -> str:
    return f"{job_id}-{number}"


def _text(line_id: str, custom_id: str, response: ItemResponse | None, error: ItemError | None) -> str:
    data = ResultLine(id=line_id, custom_id=custom_id, response=response, error=error).model_dump()
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate that came in with a name is written escaped.
    return one_line(text.encode("utf-8", "backslashreplace").decode())
