"""Routes below /v1/indexes."""

from __future__ import annotations

import asyncio
import shutil
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from app.engine.ready import ReadyEngine
from app.indexes.builds import Upload
from app.indexes.changes import change, check_changes, list_indexes, report
from app.indexes.formats import AnyFormat
from app.indexes.library import refuse_reserved
from app.indexes.opened import Retrieval, retrieval_of
from app.indexes.problems import as_problem
from app.indexes.schemas import (
    BOTH_ENDS,
    ENCODING,
    FORMAT,
    LANGUAGE,
    LANGUAGE_PATTERN,
    STRICT,
    TOKENS,
    TOKENS_PATTERN,
    TYPOS,
    Branches,
    BuildRequest,
    Indexes,
    IndexName,
    IndexReport,
    PatchAnswer,
    PatchRequest,
)
from app.indexes.trie import MAX_BRANCHES, walk
from app.indexes.uploads import encoding_of, new_folder, receive, write_lines
from app.web.codes import Code
from app.web.problems import ProblemError, invalid
from app.web.requests import JsonRoute, problem_responses
from models.retrieval.index.errors import UnknownIndexError

router = APIRouter(prefix="/v1/indexes", tags=["retrieval"], route_class=JsonRoute)

MAX_UNPACKING = 20
"""Times the limit of a body that it may be as large when unpacked: text is seldom packed tighter."""


_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "It is being built; `Location` tells how far it is",
        "headers": {"Location": {"description": "of the index", "schema": {"type": "string"}}},
    },
    **problem_responses(400, 409, 413, 415, 422, 429, 500, 503),
}
_LINES: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/octet-stream": {
                "schema": {"type": "string", "format": "binary", "minLength": 1},
                "example": "上海\t人口\t2487万\n苹果（公司）\t总部\t库比蒂诺\n",
            }
        },
    }
}


@router.get("", responses=problem_responses(500, 503), summary="All indexes")
async def indexes(engine: ReadyEngine) -> Indexes:
    """All indexes and how their builds are getting on."""
    retrieval = retrieval_of(engine)
    return Indexes(indexes=await asyncio.to_thread(list_indexes, retrieval.library, retrieval.builds))


@router.get("/{name}", responses=problem_responses(404, 422, 500, 503), summary="One index")
async def index(name: IndexName, engine: ReadyEngine) -> IndexReport:
    """An index, its changes, its malformed lines, and how its build is getting on."""
    return await _report(name, retrieval_of(engine), opening=True)


@router.get(
    "/{name}/trie",
    responses=problem_responses(404, 409, 422, 500, 503),
    summary="The branches of an index after a prefix",
)
async def trie(
    name: IndexName,
    engine: ReadyEngine,
    tokens: Annotated[str, Query(pattern=TOKENS_PATTERN, description=TOKENS, examples=["12,55,7"])] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_BRANCHES, description="branches at most")] = 50,
    offset: Annotated[int, Query(ge=0, description="branches to pass over")] = 0,
) -> Branches:
    """The tokens that a search may write after these, each with the number of keys below it."""
    library = retrieval_of(engine).library
    prefix = [int(token) for token in tokens.split(",") if token]
    with as_problem(library.root):
        return await asyncio.to_thread(walk, name, prefix, limit, offset, library)


@router.post("", status_code=202, responses=_ACCEPTED, summary="Build an index of lines in JSON")
async def build(body: BuildRequest, response: Response, engine: ReadyEngine) -> IndexReport:
    """Build an index in the background; one of the same name serves until the new one is whole."""
    retrieval = retrieval_of(engine)
    _check(body.name, retrieval, body.format, body.both_ends)

    def write() -> Upload:
        folder = new_folder(retrieval.library.root)
        try:
            write_lines(folder, body.lines, body.aliases)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Upload(folder, body.format, body.strict, body.both_ends, body.typos, "utf-8", language=body.language)

    return await _start(body.name, await asyncio.to_thread(write), retrieval, response)


@router.put(
    "/{name}", status_code=202, responses=_ACCEPTED, openapi_extra=_LINES, summary="Build an index of a file of lines"
)
async def upload(
    name: IndexName,
    request: Request,
    response: Response,
    engine: ReadyEngine,
    format: Annotated[AnyFormat, Query(description=FORMAT)] = "auto",
    strict: Annotated[bool, Query(description=STRICT)] = False,
    both_ends: Annotated[bool, Query(description=BOTH_ENDS)] = False,
    typos: Annotated[bool, Query(description=TYPOS)] = True,
    encoding: Annotated[str | None, Query(description=ENCODING, min_length=1, max_length=40)] = None,
    language: Annotated[str | None, Query(pattern=LANGUAGE_PATTERN, description=LANGUAGE)] = None,
) -> IndexReport:
    """Build an index in the background of the body's lines, as they are in a file, plain or gzipped.

    The body may be large: it goes to the disk as it comes.
    """
    retrieval = retrieval_of(engine)
    codec = encoding_of(encoding, request.headers.get("content-type", ""))
    _check(name, retrieval, format, both_ends)
    folder = await asyncio.to_thread(new_folder, retrieval.library.root)
    try:
        await receive(folder, request.stream(), retrieval.limits)
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)
        raise
    most = MAX_UNPACKING * retrieval.limits.max_upload_bytes
    lines = Upload(folder, format, strict, both_ends, typos, codec, most, language)
    return await _start(name, lines, retrieval, response)


@router.patch(
    "/{name}",
    responses=problem_responses(400, 404, 409, 413, 415, 422, 500, 503),
    summary="Add and remove keys and values",
)
async def patch(name: IndexName, body: PatchRequest, engine: ReadyEngine) -> PatchAnswer:
    """Update an index without a rebuild; on the disk, and seen by every later search, when this answers."""
    check_changes(body, engine.limits)
    library = retrieval_of(engine).library
    with as_problem(library.root):
        return await asyncio.to_thread(change, name, body, library)


@router.delete("/{name}", status_code=204, responses=problem_responses(404, 409, 422, 500, 503), summary="Delete")
async def delete(name: IndexName, engine: ReadyEngine) -> None:
    """Delete an index; searches that have begun end as if it were there."""
    await asyncio.to_thread(_delete, name, retrieval_of(engine))


def _delete(name: str, retrieval: Retrieval) -> None:
    with as_problem(retrieval.library.root):
        try:
            retrieval.library.delete(name)
        except UnknownIndexError:
            # What failed to be built leaves no more than a report.
            if not retrieval.builds.forget(name):
                raise
        else:
            retrieval.builds.forget(name)


def _check(name: str, retrieval: Retrieval, format: AnyFormat, both_ends: bool) -> None:
    with as_problem(retrieval.library.root):
        refuse_reserved(name)
    if both_ends and format.startswith("pairs"):
        raise invalid(
            "both_ends", Code.CONTRADICTORY, "pairs of key and value have one end", "leave it out, or send triples"
        )
    retrieval.builds.check(name)


async def _start(name: str, upload: Upload, retrieval: Retrieval, response: Response) -> IndexReport:
    try:
        retrieval.builds.start(name, upload)
    except ProblemError:
        await asyncio.to_thread(shutil.rmtree, upload.folder, ignore_errors=True)
        raise
    response.headers["Location"] = f"{retrieval.settings.root_path}/v1/indexes/{name}"
    return await _report(name, retrieval)


async def _report(name: str, retrieval: Retrieval, *, opening: bool = False) -> IndexReport:
    with as_problem(retrieval.library.root):
        return await asyncio.to_thread(report, name, retrieval.library, retrieval.builds, opening=opening)
