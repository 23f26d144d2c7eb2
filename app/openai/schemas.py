"""Schemas of files and batches, in the shapes of OpenAI's API (its Python client's types, 3.57)."""

from __future__ import annotations

from typing import Annotated, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.jobs.schemas import CustomId, Item, RequestCounts, Status
from app.tasks.keywords.task import Sentences
from app.tasks.registry import urls
from app.web.schemas import Strict

Purpose = Literal["batch", "batch_output"]


class FileObject(BaseModel):
    """A file; times are whole seconds since 1970."""

    id: str
    object: Literal["file"] = "file"
    bytes: int
    created_at: int = Field(description="of a batch's output: when the batch was made")
    filename: str
    purpose: Purpose = Field(description="batch: it was uploaded; batch_output: a batch's results or errors")
    status: Literal["processed"] = "processed"
    expires_at: int | None = Field(description="when it is forgotten")

    def over(self, now: int) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now


class FileDeleted(BaseModel):
    """A file that is no more."""

    id: str
    object: Literal["file"] = "file"
    deleted: Literal[True] = True


class BatchRequest(Strict):
    """Ask for a batch: a job made of the lines of a file."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "input_file_id": "file-01a1ffb09c2d8a51b40c6e97f3d2",
                    "endpoint": Sentences.path,
                    "completion_window": "24h",
                    "metadata": {"for": "the garden"},
                }
            ]
        }
    )

    input_file_id: str = Field(max_length=64, description="of a file uploaded with the purpose batch")
    endpoint: str = Field(max_length=200, description=f"the `url` of every line: {urls()}")
    completion_window: Literal["24h"] = Field(description="what is not done by then is given up")
    metadata: (
        Annotated[
            dict[
                Annotated[str, StringConstraints(max_length=64)],
                Annotated[str, StringConstraints(max_length=512)],
            ],
            Field(max_length=16),
        ]
        | None
    ) = Field(default=None, description="kept with the batch")


class BatchLine(Item):
    """A line of a batch's file."""

    custom_id: CustomId


class BatchError(BaseModel):
    """Why a batch failed as a whole."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


class BatchErrors(BaseModel):
    """Reasons of a failed batch."""

    object: Literal["list"] = "list"
    data: list[BatchError]


class Batch(BaseModel):
    """A batch, which is the job of the same id; times are whole seconds since 1970."""

    id: str
    object: Literal["batch"] = "batch"
    endpoint: str
    errors: BatchErrors | None = None
    input_file_id: str
    completion_window: str
    status: Status
    output_file_id: str | None = Field(
        description="lines with an answer; None until the batch ends, or if there are none"
    )
    error_file_id: str | None = Field(description="lines without one, and why; None likewise")
    created_at: int
    in_progress_at: int | None
    expires_at: int
    finalizing_at: int | None
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    cancelling_at: int | None
    cancelled_at: int | None
    request_counts: RequestCounts
    metadata: dict[str, str] | None


Listed = TypeVar("Listed", FileObject, Batch)


class Page(BaseModel, Generic[Listed]):
    """A page of files or of batches."""

    object: Literal["list"] = "list"
    data: list[Listed]
    first_id: str | None
    last_id: str | None = Field(description="give it as `after` for the next page")
    has_more: bool

    @classmethod
    def of(cls, found: list[Listed], limit: int) -> Self:
        """The first ``limit`` of what was found, which is more if there is another page."""
        data = found[:limit]
        first, last = (data[0].id, data[-1].id) if data else (None, None)
        return cls(data=data, first_id=first, last_id=last, has_more=len(found) > limit)
