"""Routes below /v1/jobs, and /v1/workers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from app.engine.ready import ReadyEngine
from app.jobs import documentation as documented
from app.jobs import results as result_lines
from app.jobs.events import events
from app.jobs.intake.body import read_body
from app.jobs.intake.check import Intake, digest_of
from app.jobs.intake.submission import Options, read_submission
from app.jobs.requests import IdempotencyKey, ReadyJobs, found, record_of, submitted
from app.jobs.results import Kind
from app.jobs.schemas import EXPIRES, ON_INVALID, PRIORITY, ExpiresAfter, Job, JobList, OnInvalid, Priority, Workers
from app.jobs.store.connection import as_problem
from app.jobs.store.record import UnreadableError
from app.jobs.store.workers import workers
from app.jobs.table import LineFormat, accepted_format, check_line_format, table_of
from app.web.events import EventResponse
from app.web.media import media_type
from app.web.requests import problem_responses

router = APIRouter(tags=["jobs"])

JobId = Annotated[str, Path(pattern=r"^job_[0-9a-f]{28}$", description="of the job")]
Lines = Annotated[int, Query(ge=1, le=10_000, description="lines of a page at most")]
After = Annotated[int, Query(ge=-1, le=2**53, description="the X-Next-Cursor of the page before")]
Format = Annotated[
    LineFormat | None,
    Query(
        description="jsonl: the whole answers, a line each; csv, parquet: a table of what people want of them, a row "
        "each; if left out, the first of these that the header `Accept` names, or jsonl"
    ),
]
Accept = Annotated[str, Header(include_in_schema=False)]
Download = Annotated[bool, Query(description="all that there are, as a file")]


@router.post(
    "/v1/jobs",
    status_code=202,
    responses=documented.ACCEPTED,
    openapi_extra=documented.SUBMISSION,
    summary="Submit a job",
)
async def submit(
    request: Request,
    response: Response,
    engine: ReadyEngine,
    jobs: ReadyJobs,
    on_invalid: Annotated[OnInvalid | None, Query(description=ON_INVALID)] = None,
    priority: Annotated[Priority | None, Query(description=PRIORITY)] = None,
    expires_after: Annotated[ExpiresAfter | None, Query(description=EXPIRES)] = None,
    idempotency_key: IdempotencyKey = None,
) -> Job:
    """Put many requests into the queue.

    Every line is checked first, as its route would check it. When this answers, the job is on the disk: it
    survives the end of the service, of the workers and of the queue's server.
    """
    kind = media_type(request.headers)
    content = await read_body(request, engine.limits.max_job_bytes)
    options = Options(on_invalid, priority, expires_after)
    submission = await asyncio.to_thread(read_submission, kind, content, options)
    digest = digest_of(kind, options, content)
    intake = Intake(submission, engine, jobs.settings)
    record = await submitted(request, intake, jobs, idempotency_key, digest)
    response.headers["Location"] = f"{jobs.settings.root_path}/v1/jobs/{record.id}"
    return record.report()


@router.get("/v1/jobs", responses=problem_responses(422, 500, 503), summary="All jobs")
async def list_jobs(
    jobs: ReadyJobs,
    after: Annotated[str | None, Query(max_length=64, description="`next_cursor` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=100, description="jobs of a page at most")] = 20,
) -> JobList:
    """Jobs, newest first."""
    with as_problem():
        records = await jobs.store.records(after, limit + 1)
    more = len(records) > limit
    return JobList(
        data=[record.report() for record in records[:limit]],
        has_more=more,
        next_cursor=records[limit - 1].id if more else None,
    )


@router.get("/v1/jobs/{job_id}", responses=problem_responses(404, 422, 500, 503), summary="One job")
async def job(job_id: JobId, jobs: ReadyJobs) -> Job:
    """How far a job is."""
    with as_problem():
        return (await record_of(job_id, jobs)).report()


@router.delete(
    "/v1/jobs/{job_id}", responses=documented.DELETED, status_code=202, response_model=Job, summary="Cancel or delete"
)
async def delete(job_id: JobId, jobs: ReadyJobs) -> Any:
    """Cancel a job that runs: no result is taken from now on, and it is `cancelled` within seconds; those it has stay.

    Delete one that has ended, with its results, or whose record cannot be read any more.
    """
    with as_problem():
        try:
            record = await found(job_id, jobs)
        except UnreadableError:
            await jobs.store.delete(job_id, "")
            return Response(status_code=204)
        if record.ended:
            await jobs.store.delete(job_id, record.idempotency)
            return Response(status_code=204)
        await jobs.store.cancel(job_id)
        await jobs.store.settle(job_id)
        return (await record_of(job_id, jobs)).report()


@router.get("/v1/jobs/{job_id}/events", responses=documented.EVENTS, response_class=Response, summary="Follow a job")
async def follow(
    job_id: JobId,
    request: Request,
    jobs: ReadyJobs,
    last_event_id: Annotated[
        str | None, Header(pattern=r"^\d{1,20}-\d{1,20}$", description="go on behind this event")
    ] = None,
) -> Response:
    """Server-sent events from the job's beginning, or behind `Last-Event-ID`, until the job ends."""
    with as_problem():
        await record_of(job_id, jobs)
    ping_seconds = request.app.state.settings.ping_seconds
    return EventResponse(events(jobs.store, job_id, last_event_id or "0-0"), AsyncExitStack(), ping_seconds)


@router.get("/v1/workers", responses=problem_responses(500, 503), summary="Who works")
async def list_workers(jobs: ReadyJobs) -> Workers:
    """Workers and what they are at, by their heartbeats."""
    with as_problem():
        return Workers(workers=await workers(jobs.store.redis))


def _add_lines(kind: Kind, description: str) -> None:
    """Add the route of a job's lines of one kind."""

    async def lines(
        job_id: JobId,
        jobs: ReadyJobs,
        after: After = -1,
        limit: Lines = 1000,
        download: Download = False,
        format: Format = None,
        accept: Accept = "",
    ) -> Response:
        format = format or accepted_format(accept)
        media_type = documented.MEDIA_TYPES[format]
        check_line_format(format)
        with as_problem():
            record = await record_of(job_id, jobs)
            if download:
                headers = {"Content-Disposition": f'attachment; filename="{job_id}-{kind}.{format}"'}
                every = result_lines.every(jobs.store, record, kind)
                if format == "jsonl":
                    return StreamingResponse(every, media_type=media_type, headers=headers)
                content = await table_of(every, format)
                return Response(content, media_type=media_type, headers=headers)
            page = await result_lines.page(jobs.store, record, kind, after, limit)
        headers = {"X-Next-Cursor": str(page.cursor), "X-Has-More": str(page.more).lower(), "Vary": "Accept"}
        if page.more:
            asked = f"after={page.cursor}&limit={limit}" + ("" if format == "jsonl" else f"&format={format}")
            headers["Link"] = f'<{jobs.settings.root_path}/v1/jobs/{job_id}/{kind}?{asked}>; rel="next"'
        body = "".join(f"{line}\n" for line in page.lines).encode()
        return Response(body if format == "jsonl" else await table_of(_one(body), format), 200, headers, media_type)

    router.get(
        f"/v1/jobs/{{job_id}}/{kind}",
        responses=documented.LINES,
        response_class=Response,
        name=kind,
        summary=kind.capitalize(),
        description=description,
    )(lines)


_add_lines("results", "Answers, a line or a row each, in the order of the items.")
_add_lines("errors", "Items without an answer, and why, a line or a row each, in the order of the items.")


async def _one(lines: bytes) -> AsyncGenerator[bytes]:
    yield lines
