"""Routes below /v1/batches."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from app.engine.ready import ReadyEngine
from app.jobs.intake.check import Intake, digest_of
from app.jobs.jobs import Jobs
from app.jobs.requests import IdempotencyKey, ReadyJobs, damage_as_problem, submitted
from app.jobs.store import keys
from app.jobs.store.connection import as_problem
from app.jobs.store.record import Record
from app.openai.batches import batch_of, check_endpoint, is_id, read_lines
from app.openai.files import FileStore
from app.openai.schemas import Batch, BatchRequest, Page
from app.web.codes import Code
from app.web.problems import failure, invalid
from app.web.requests import JsonRoute, problem_responses

router = APIRouter(tags=["openai"], route_class=JsonRoute)

BatchId = Annotated[str, Path(max_length=64, description="of the batch")]


@router.post("/v1/batches", responses=problem_responses(400, 404, 413, 415, 422, 500, 503), summary="Make a batch")
async def create_batch(
    body: BatchRequest,
    request: Request,
    engine: ReadyEngine,
    jobs: ReadyJobs,
    idempotency_key: IdempotencyKey = None,
) -> Batch:
    """Put the lines of an uploaded file into the queue, as one job of the batch's id, in the shape of OpenAI's API.

    A line that is no request to the endpoint refuses the batch here and now; one whose body cannot be met stands in the
    error file. When this answers, the batch is on the disk, and its input file may be deleted.
    """
    check_endpoint(body.endpoint)
    content = await _input(body.input_file_id, jobs)
    submission = await asyncio.to_thread(read_lines, content, body.endpoint)
    asked = body.model_dump_json()
    intake = Intake(submission, engine, jobs.settings, asked)
    return batch_of(await submitted(request, intake, jobs, idempotency_key, digest_of(asked)))


@router.get("/v1/batches", responses=problem_responses(422, 500, 503), summary="All batches")
async def list_batches(
    jobs: ReadyJobs,
    after: Annotated[str | None, Query(max_length=64, description="`last_id` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="batches of a page at most")] = 20,
) -> Page[Batch]:
    """Batches, newest first."""
    with as_problem():
        records = await jobs.store.records(after, limit + 1, keys.BATCHES)
    return Page[Batch].of([batch_of(record) for record in records if record.batch], limit)


@router.get("/v1/batches/{batch_id}", responses=problem_responses(404, 422, 500, 503), summary="One batch")
async def retrieve_batch(batch_id: BatchId, jobs: ReadyJobs) -> Batch:
    """How far a batch is, and once it has ended, the files of its results and errors."""
    with as_problem():
        return batch_of(await _found(batch_id, jobs))


@router.post("/v1/batches/{batch_id}/cancel", responses=problem_responses(404, 422, 500, 503), summary="Cancel a batch")
async def cancel_batch(batch_id: BatchId, jobs: ReadyJobs) -> Batch:
    """Take no more results of a batch: it is `cancelled` within seconds, with the results that it has."""
    with as_problem():
        record = await _found(batch_id, jobs)
        if record.ended and record.status != "cancelled":
            message = f"the batch has ended: it is {record.status}"
            remedy = "leave it as it is, or delete it with its results by DELETE /v1/jobs/{id}"
            raise invalid("batch_id", Code.NO_EFFECT, message, remedy)
        await jobs.store.cancel(batch_id)
        await jobs.store.settle(batch_id)
        return batch_of(await _found(batch_id, jobs))


async def _input(file_id: str, jobs: Jobs) -> bytes:
    """Content of an uploaded file.

    Raises:
        ProblemError: 404 if there is none of this id.
    """
    files = FileStore(jobs.store.redis, jobs.settings.limits)
    with as_problem():
        file = await files.find(file_id)
        try:
            if file is not None:
                return b"".join([piece async for piece in files.content(file)])
        except LookupError:
            pass  # deleted meanwhile
    message, remedy = f"there is no uploaded file {file_id!r}", "upload it by POST /v1/files with the purpose batch"
    raise failure(404, Code.NOT_FOUND, message, remedy, field="input_file_id")


async def _found(batch_id: str, jobs: Jobs) -> Record:
    with damage_as_problem():
        record = await jobs.store.record(batch_id) if is_id(batch_id) else None
    if record is None or not record.batch:
        message, remedy = f"there is no batch {batch_id!r}", "name one that GET /v1/batches lists"
        raise failure(404, Code.NOT_FOUND, message, remedy, field="batch_id")
    return record
