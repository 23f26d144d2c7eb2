"""Schemas of jobs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, FiniteFloat

from app.tasks.keywords.task import Sentences
from app.tasks.registry import urls
from app.tasks.score.task import Score
from app.web.schemas import Strict

Status = Literal["validating", "in_progress", "finalizing", "completed", "failed", "cancelling", "cancelled", "expired"]
Priority = Literal["interactive", "bulk"]
OnInvalid = Literal["refuse", "skip"]

ENDED: frozenset[str] = frozenset({"completed", "failed", "cancelled", "expired"})
"""Statuses that never change."""

URL = urls()
Body = dict[str, Any]
ExpiresAfter = Annotated[FiniteFloat, Field(gt=0, le=30 * 86_400)]
CustomId = Annotated[str, Field(min_length=1, max_length=256)]

EXPIRES = "seconds after which items that are not done are given up; CHAINWRIGHT_JOB_SECONDS if left out"
PRIORITY = "interactive jobs go before bulk ones, and requests over REST before both"
ON_INVALID = "refuse the whole job for a line that cannot be met, or skip such lines, which then stand in /errors"


class Item(Strict):
    """One request of a job."""

    custom_id: CustomId | None = Field(
        default=None, description="kept with the result; unique in the job. item-N, N from 0, if left out"
    )
    method: Literal["POST"] = "POST"
    url: str = Field(max_length=200, description=URL)
    body: Body = Field(description="what this route takes, without `stream`")


class JobRequest(Strict):
    """Ask for many answers: `items`, or the short form `url` and `bodies`."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"url": Sentences.path, "bodies": [{"keywords": ["今天", "公园"]}, {"keywords": ["dog", "park"]}]},
                {
                    "items": [
                        {"custom_id": "a", "url": Sentences.path, "body": {"keywords": ["今天"], "seed": 7}},
                        {"custom_id": "b", "url": Score.path, "body": {"texts": ["今天我去公园散步。"]}},
                    ],
                    "on_invalid": "skip",
                },
            ]
        }
    )

    items: list[Item] | None = Field(default=None, min_length=1)
    url: str | None = Field(default=None, max_length=200, description=URL)
    bodies: list[Body] | None = Field(default=None, min_length=1)
    on_invalid: OnInvalid = Field(default="refuse", description=ON_INVALID)
    priority: Priority = Field(default="bulk", description=PRIORITY)
    expires_after: ExpiresAfter | None = Field(default=None, description=EXPIRES)


class RequestCounts(BaseModel):
    """How many items there are and are done."""

    total: int = Field(description="lines that were accepted, and those skipped")
    completed: int = Field(description="with an answer in /results")
    failed: int = Field(description="with an error in /errors")


class Job(BaseModel):
    """A job; times are seconds since 1970."""

    id: str
    object: Literal["job"] = "job"
    status: Status
    priority: Priority
    request_counts: RequestCounts
    rate: float | None = Field(description="items a second of late; None unless in progress")
    seconds_left: float | None = Field(description="at this rate; None if it cannot be told")
    created_at: float
    expires_at: float = Field(description="what is not done by then is given up")
    in_progress_at: float | None = None
    finalizing_at: float | None = None
    completed_at: float | None = None
    failed_at: float | None = None
    cancelling_at: float | None = None
    cancelled_at: float | None = None
    expired_at: float | None = None
    error: str | None = Field(default=None, description="why a job failed as a whole")


class JobList(BaseModel):
    """A page of jobs, newest first."""

    object: Literal["list"] = "list"
    data: list[Job]
    has_more: bool
    next_cursor: str | None = Field(description="give it as `after` for the next page; None on the last")


class JobEvent(BaseModel):
    """Data of a `status` or `progress` event."""

    id: str = Field(description="of the job")
    status: Status
    request_counts: RequestCounts
    at: float


class Worker(BaseModel):
    """A worker as it was last heard of."""

    name: str
    host: str
    pid: int
    state: Literal["working", "draining"]
    model: str
    fingerprint: str
    device: str
    started_at: float
    seen_at: float = Field(description="of its last heartbeat")
    items_running: int
    items_done: int = Field(description="since it started")
    chunks_running: int


class Workers(BaseModel):
    """Workers that were heard of within the last lease."""

    workers: list[Worker]


class ItemError(BaseModel):
    """Error of an item without an answer."""

    code: str
    message: str


class ItemResponse(BaseModel):
    """Answer of the item's route."""

    status_code: int
    request_id: str = Field(description="the line's id: a job's item is a request of its own")
    body: Any


class ResultLine(BaseModel):
    """One line of /results or /errors."""

    id: str
    custom_id: str
    response: ItemResponse | None
    error: ItemError | None
