"""Upload of a file: a form in several parts, as OpenAI's clients send it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import Request
from pydantic import Field
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from app.jobs.intake.body import bounded
from app.web.codes import Code
from app.web.media import media_type
from app.web.problems import failure, invalid
from app.web.schemas import Strict
from app.web.validation import validated

FORM = "multipart/form-data"
MAX_NAME = 255
"""Characters of a file's name."""

_FORM_BYTES = 1 << 16
"""Room in a body for all that is not the file."""


class FileFields(Strict):
    """Fields of the form beside the file."""

    purpose: Literal["batch"] = Field(description="what the file is for; batches are all that there is here")
    anchor: Literal["created_at"] = Field(
        default="created_at", alias="expires_after[anchor]", description="since when `expires_after[seconds]` counts"
    )
    seconds: int = Field(
        default=0,
        alias="expires_after[seconds]",
        strict=False,
        ge=3600,
        le=2_592_000,
        description="seconds that the file is kept, 3600 to 2592000; CHAINWRIGHT_JOB_RETENTION_SECONDS if left out",
    )


@dataclass(frozen=True, slots=True)
class Upload:
    """File that came in.

    Attributes:
        seconds: how long it is to be kept; 0 if nothing was said.
    """

    file: UploadFile
    name: str
    seconds: int


@asynccontextmanager
async def uploaded(request: Request, most: int) -> AsyncIterator[Upload]:
    """The file of a request, of at most so many bytes; a large one is on the disk, until this is left.

    Raises:
        ProblemError: 400, 413, 415 or 422.
    """
    kind = media_type(request.headers)
    if kind != FORM:
        message = f"the body is declared as {kind[:80]!r}" if kind else "the body's type is not declared"
        remedy = f"send a form as {FORM}: curl -F purpose=batch -F file=@FILE does"
        raise failure(415, Code.WRONG_MEDIA_TYPE, message, remedy, field="Content-Type", headers={"Accept": FORM})
    parser = MultiPartParser(
        request.headers, bounded(request, most + _FORM_BYTES), max_files=1, max_fields=8, max_part_size=1024
    )
    try:
        form = await parser.parse()
    except MultiPartException as error:
        remedy = f"send {FORM} with `purpose` and one `file`, which has a file name"
        raise failure(400, Code.MALFORMED, f"the form cannot be read: {error.message}", remedy) from None
    try:
        yield _read(form.multi_items(), most)
    finally:
        await form.close()


def _read(parts: list[tuple[str, Any]], most: int) -> Upload:
    fields = dict(parts)
    if len(fields) < len(parts):
        name = next(name for number, (name, _) in enumerate(parts) if name in dict(parts[:number]))
        raise invalid(name, Code.DUPLICATE, "it stands in the form twice", "send it once")
    file = fields.pop("file", None)
    given = validated(FileFields, fields)
    if "anchor" in given.model_fields_set and not given.seconds:
        raise invalid("expires_after[seconds]", Code.MISSING, "it is left out", "say how many seconds it is kept")
    if not isinstance(file, UploadFile):
        message, remedy = "there is no file", "send it as a part of the form with a file name"
        raise invalid("file", Code.MISSING if file is None else Code.WRONG_TYPE, message, remedy)
    if file.size is not None and file.size > most:
        message = f"the file has {file.size} bytes, above the limit of {most}"
        remedy = "divide it into several, or raise CHAINWRIGHT_MAX_JOB_BYTES"
        raise failure(413, Code.TOO_LARGE, message, remedy, field="file")
    name = file.filename or "upload"
    if len(name) > MAX_NAME:
        raise invalid("file", Code.TOO_LONG, f"its name has {len(name)} characters", f"give at most {MAX_NAME}")
    return Upload(file, name, given.seconds)
