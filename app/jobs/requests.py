"""Parts that routes over jobs share: the queue, a job's record, the way of a submission into the queue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated

from fastapi import Depends, Header, Request

from app.jobs.intake.check import Intake, digest_of
from app.jobs.jobs import Jobs
from app.jobs.store.connection import AWAY, as_problem
from app.jobs.store.record import Record, UnreadableError
from app.jobs.work.maintenance import enqueue
from app.web.codes import Code
from app.web.problems import failure, invalid
from app.web.requests import until_disconnect

IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=256, description="the same key and request again: the same job, no second"),
]


async def jobs_of(request: Request) -> Jobs:
    """Queue of the service.

    Raises:
        ProblemError: 503 if there is none.
    """
    jobs: Jobs | None = getattr(request.app.state, "jobs", None)
    if jobs is None:
        message = "this service has no queue"
        remedy = "set CHAINWRIGHT_QUEUE_URL to a Redis server, or see the log for why the embedded one did not start"
        raise failure(503, Code.UNAVAILABLE, message, remedy)
    return jobs


ReadyJobs = Annotated[Jobs, Depends(jobs_of)]


async def submitted(request: Request, intake: Intake, jobs: Jobs, idempotency_key: str | None, digest: str) -> Record:
    """The job of a submission, on the disk and in the queue.

    Args:
        digest: of the whole request.

    Raises:
        ProblemError: 422, with the faults of the bad lines, or the key has made a job of another request.
    """
    with as_problem():
        key = digest_of(idempotency_key) if idempotency_key else ""
        accepted = await until_disconnect(request, intake.accepted(key, digest))
        try:
            job_id = await jobs.store.accept(accepted)
        except KeyError as error:
            message = f"it has made the job {error.args[0]} of another request"
            remedy = "give each request a key of its own"
            raise invalid("Idempotency-Key", Code.CONFLICT, message, remedy) from None
        record = await record_of(job_id, jobs)
    if not record.queued:
        with suppress(*AWAY):  # it is accepted: maintenance puts it into the queue once the server is back
            await enqueue(record, jobs.store, jobs.queue)
    return record


async def record_of(job_id: str, jobs: Jobs) -> Record:
    """Record of a job.

    Raises:
        ProblemError: 404 if there is none, 500 if it cannot be read.
    """
    with damage_as_problem():
        return await found(job_id, jobs)


async def found(job_id: str, jobs: Jobs) -> Record:
    """Record of a job.

    Raises:
        ProblemError: 404 if there is none.
        UnreadableError: something else wrote to it.
    """
    record = await jobs.store.record(job_id)
    if record is None:
        message, remedy = f"there is no job {job_id!r}", "name one that GET /v1/jobs lists"
        raise failure(404, Code.NOT_FOUND, message, remedy, field="job_id")
    return record


@contextmanager
def damage_as_problem() -> Iterator[None]:
    """Turn a record that cannot be read into a problem.

    Raises:
        ProblemError: 500.
    """
    try:
        yield
    except UnreadableError as error:
        remedy = "have it forgotten with DELETE /v1/jobs/{id}, and submit the job once more"
        raise failure(500, Code.DAMAGED, str(error), remedy, field="job_id") from error
