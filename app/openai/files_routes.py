"""Routes below /v1/files."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.responses import StreamingResponse

from app.jobs.documentation import JSONL
from app.jobs.jobs import Jobs
from app.jobs.requests import ReadyJobs
from app.jobs.store.connection import as_problem
from app.openai import documentation as documented
from app.openai.files import FileStore
from app.openai.files_outputs import Output, Outputs
from app.openai.files_upload import uploaded
from app.openai.schemas import FileDeleted, FileObject, Page
from app.web.codes import Code
from app.web.problems import ProblemError, failure
from app.web.requests import problem_responses

router = APIRouter(tags=["openai"])

FileId = Annotated[str, Path(max_length=64, description="of the file")]

FOUND_AT_A_TIME = 200
"""Files looked up in one exchange."""


@router.post(
    "/v1/files", responses=documented.UPLOADED, openapi_extra=documented.UPLOAD, summary="Upload a file for a batch"
)
async def create_file(request: Request, jobs: ReadyJobs) -> FileObject:
    """Keep the lines of a batch, to be named in `POST /v1/batches`, in the shape of OpenAI's API.

    The form's parts are `file` and `purpose`, which is `batch`. When this answers, the file is on the disk.
    """
    files = _files(jobs)
    async with uploaded(request, files.limits.max_job_bytes) as upload:
        with as_problem():
            return await files.add(upload.file, upload.name, upload.seconds or jobs.settings.job_retention_seconds)


@router.get("/v1/files", responses=problem_responses(422, 500, 503), summary="All files")
async def list_files(
    jobs: ReadyJobs,
    after: Annotated[str | None, Query(max_length=64, description="`last_id` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=10_000, description="files of a page at most")] = 10_000,
    order: Annotated[Literal["asc", "desc"], Query(description="asc: oldest first")] = "desc",
    purpose: Annotated[str | None, Query(max_length=64, description="only files with this one")] = None,
) -> Page[FileObject]:
    """Files that were uploaded, and those of the results and errors of batches that have ended."""
    found: list[FileObject] = []
    with as_problem():
        kept = {file.id: file for file in await _files(jobs).all()} if purpose in (None, "batch") else {}
        outputs = Outputs(jobs.store)
        ids = [*kept, *(await outputs.ids() if purpose in (None, "batch_output") else [])]
        left = sorted(ids, reverse=order == "desc")
        if after is not None:
            left = [each for each in left if (each > after) == (order == "asc") and each != after]
        while left and len(found) <= limit:
            asked, left = left[:FOUND_AT_A_TIME], left[FOUND_AT_A_TIME:]
            of_batches = await outputs.find(asked)
            for each in asked:
                if each in kept:
                    found.append(kept[each])
                elif each in of_batches:
                    found.append(await outputs.report(of_batches[each]))
    return Page[FileObject].of(found, limit)


@router.get("/v1/files/{file_id}", responses=problem_responses(404, 422, 500, 503), summary="One file")
async def retrieve_file(file_id: FileId, jobs: ReadyJobs) -> FileObject:
    """A file without its content."""
    with as_problem():
        file = await _found(file_id, jobs)
        return file if isinstance(file, FileObject) else await Outputs(jobs.store).report(file)


@router.get(
    "/v1/files/{file_id}/content", responses=documented.CONTENT, response_class=Response, summary="A file's content"
)
async def file_content(file_id: FileId, jobs: ReadyJobs) -> Response:
    """The bytes of a file, as they came in; of a batch's output its lines, in the order of its input."""
    with as_problem():
        file = await _found(file_id, jobs)
    if isinstance(file, Output):
        return StreamingResponse(Outputs(jobs.store).content(file), media_type=JSONL)
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.filename, safe='')}",
        "Content-Length": str(file.bytes),
    }
    return StreamingResponse(_files(jobs).content(file), media_type=JSONL, headers=headers)


@router.delete("/v1/files/{file_id}", responses=problem_responses(404, 422, 500, 503), summary="Delete a file")
async def delete_file(file_id: FileId, jobs: ReadyJobs) -> FileDeleted:
    """Delete a file; batches made of it have their lines already.

    What a batch has put out is shown no more; its lines stay at `/v1/jobs/{id}/results` until the job is deleted there
    or its time is over.
    """
    with as_problem():
        file = await _found(file_id, jobs)
        if isinstance(file, Output):
            await Outputs(jobs.store).delete(file)
        elif not await _files(jobs).delete(file_id):
            raise _missing(file_id)
    return FileDeleted(id=file_id)


def _files(jobs: Jobs) -> FileStore:
    return FileStore(jobs.store.redis, jobs.settings.limits)


async def _found(file_id: str, jobs: Jobs) -> FileObject | Output:
    file = await _files(jobs).find(file_id) or (await Outputs(jobs.store).find([file_id])).get(file_id)
    if file is None:
        raise _missing(file_id)
    return file


def _missing(file_id: str) -> ProblemError:
    message, remedy = f"there is no file {file_id!r}", "name one that GET /v1/files lists"
    return failure(404, Code.NOT_FOUND, message, remedy, field="file_id")
