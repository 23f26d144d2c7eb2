"""Records and items of jobs in their stored form."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Json, ValidationError

from app.jobs.schemas import ENDED, Job, Priority, RequestCounts, Status

RATE_SECONDS = 20.0
"""Time constant of the average of a job's rate."""

MIN_RATE_SECONDS = 1.0
"""Time of work before a rate is reported."""


class UnreadableError(ValueError):
    """Record of a job in another form: something else wrote to the queue's server."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Job to be made.

    Attributes:
        items: stored text of each good line, by number.
        refused: error line of each line that was skipped, by number.
        chunks: first item and item after the last of each chunk; together all lines.
        expires_after: seconds.
        idempotency: digest of the idempotency key, or "".
        digest: of the whole request.
        batch: what makes the job a batch, or "".
    """

    id: str
    items: Mapping[int, str]
    refused: Mapping[int, str]
    chunks: Sequence[tuple[int, int]]
    priority: Priority
    expires_after: float
    idempotency: str
    digest: str
    batch: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """Item that is ready to run, its seed set."""

    number: int
    custom_id: str
    url: str
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """Stored form."""
        return json.dumps([self.custom_id, self.url, self.body], ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def read(cls, number: int, text: str | None) -> Entry | None:
        """Item of a stored text; None for none."""
        return None if text is None else cls(number, *json.loads(text))


class Record(BaseModel):
    """Record of a job; see :class:`app.jobs.schemas.Job`.

    Attributes:
        chunks: first item and item after the last of each chunk.
        queued: whether its chunks were put into the queue.
        idempotency: digest of the key that made it, or "".
        batch: what it was asked for as a batch of OpenAI's, as JSON that only app/openai/ reads; "" for another job.
        rate: average of items a second as of ``rate_at``.
        now: time of the server at the reading.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    status: Status
    priority: Priority
    total: int
    completed: int
    failed: int
    chunks: Json[list[tuple[int, int]]]
    queued: bool = False
    idempotency: str
    batch: str = ""
    created_at: float
    expires_at: float
    in_progress_at: float | None = None
    finalizing_at: float | None = None
    completed_at: float | None = None
    failed_at: float | None = None
    cancelling_at: float | None = None
    cancelled_at: float | None = None
    expired_at: float | None = None
    rate: float = 0.0
    rate_at: float = 0.0
    error: str | None = None
    now: float

    @property
    def ended(self) -> bool:
        """Whether its status is final."""
        return self.status in ENDED

    @classmethod
    def of(cls, fields: Mapping[str, str], now: float) -> Record:
        """Record of a job's hash at the server's time ``now``.

        Raises:
            UnreadableError: a field is missing or has no meaning.
        """
        try:
            return cls.model_validate({**fields, "now": now})
        except ValidationError as error:
            faults = "; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())
            raise UnreadableError(f"the job's record cannot be read: {faults}") from error

    def report(self) -> Job:
        """Job of the API."""
        rate = self._rate()
        left = self.total - self.completed - self.failed
        return Job(
            request_counts=RequestCounts(total=self.total, completed=self.completed, failed=self.failed),
            rate=rate,
            seconds_left=round(left / rate, 3) if rate else None,
            **self.model_dump(include=(Record.model_fields.keys() & Job.model_fields.keys()) - {"rate"}),
        )

    def _rate(self) -> float | None:
        """Exponential average of items a second, decayed to this moment and corrected for its start at zero."""
        if self.status != "in_progress" or self.in_progress_at is None or not self.rate:
            return None
        window = self.now - self.in_progress_at
        if window < MIN_RATE_SECONDS:
            return None
        decayed = self.rate * math.exp(-max(0.0, self.now - self.rate_at) / RATE_SECONDS)
        return round(decayed / (1 - math.exp(-window / RATE_SECONDS)), 6) or None


def new_id(prefix: str = "job_") -> str:
    """Id of a new job, or of something else with another prefix; ids of a kind sort by age."""
    return f"{prefix}{time.time_ns() // 1_000_000:012x}{os.urandom(8).hex()}"
