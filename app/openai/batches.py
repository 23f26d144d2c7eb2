"""Batches: jobs made of the lines of an uploaded file."""

from __future__ import annotations

import re
from typing import Any

from app.jobs.intake.check import duplicate, placed, read_item
from app.jobs.intake.submission import Options, Submission, read_submission
from app.jobs.schemas import RequestCounts
from app.jobs.store.record import Record
from app.openai.files_outputs import output_id
from app.openai.schemas import Batch, BatchError, BatchErrors, BatchLine, BatchRequest
from app.tasks.registry import task_at
from app.web.codes import Code
from app.web.media import LINES
from app.web.problems import Fault, ProblemError, invalid

WINDOW_SECONDS = 86_400.0
"""The completion window that there is, 24h."""

_TIMES = tuple(name for name in Batch.model_fields if name.endswith("_at"))


def check_endpoint(endpoint: str) -> None:
    """Refuse an endpoint that no item of a job may name.

    Raises:
        ProblemError: 422.
    """
    try:
        task_at(endpoint)
    except ProblemError as error:
        raise ProblemError(422, [error.faults[0].model_copy(update={"field": "endpoint"})]) from None


def read_lines(content: bytes, endpoint: str) -> Submission:
    """Lines of a file, each a request to the endpoint; may take seconds, so keep it off the event loop.

    A line whose body its route would refuse is skipped when the job is made, and stands in the error file.

    Raises:
        ProblemError: 422, with the faults of the lines that are no such requests.
    """
    submission = read_submission(LINES[0], content, Options(on_invalid="skip", expires_after=WINDOW_SECONDS))
    refused: dict[int, list[Fault]] = {}
    names: dict[str, int] = {}
    for number, line in enumerate(submission.lines):
        try:
            _check(line, number, endpoint, names, submission)
        except ProblemError as error:
            refused[number] = error.faults
    if refused:
        raise ProblemError(422, placed(refused, submission))
    return submission


def _check(line: Any | Fault, number: int, endpoint: str, names: dict[str, int], submission: Submission) -> None:
    item = read_item(line, BatchLine)
    if item.url != endpoint:
        message = f"{item.url[:80]!r} is not the batch's endpoint, {endpoint}"
        raise invalid("url", Code.CONTRADICTORY, message, "make a batch for each url, or a job at POST /v1/jobs of all")
    if names.setdefault(item.custom_id, number) != number:
        raise duplicate(item.custom_id, submission.where(names[item.custom_id], ""))


def batch_of(record: Record) -> Batch:
    """The batch that a job was made as."""
    asked = BatchRequest.model_validate_json(record.batch)
    times: dict[str, Any] = {name: None if (at := getattr(record, name)) is None else int(at) for name in _TIMES}
    failed = None if record.error is None else BatchErrors(data=[BatchError(code="job_failed", message=record.error)])
    return Batch(
        id=record.id,
        status=record.status,
        errors=failed,
        output_file_id=output_id(record, "results"),
        error_file_id=output_id(record, "errors"),
        request_counts=RequestCounts(total=record.total, completed=record.completed, failed=record.failed),
        **times,
        **asked.model_dump(),
    )


def is_id(text: str) -> bool:
    """Whether a text is written as a batch's id."""
    return re.fullmatch(r"job_[0-9a-f]{28}", text) is not None
