"""A job's record and its items, as they are kept."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from app.jobs.schemas import ENDED, Job, Priority, RequestCounts, Status

LEAST_WINDOW = 1.0
"""Seconds of work before a rate is told."""

_TIMES = ("in_progress", "finalizing", "completed", "failed", "cancelling", "cancelled", "expired")


class UnreadableError(ValueError):
    """A job's record is not as it was written: something else wrote to the queue's server."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A job that may be made.

    Attributes:
        id: that it will have.
        items: the stored text of each good line, by number.
        refused: the error line of each line that was skipped, by number.
        chunks: first item and item after the last of each chunk; together all lines.
        priority: which queue.
        expires_after: seconds.
        idempotency: digest of the idempotency key, or "".
        digest: of the whole request.
    """

    id: str
    items: Mapping[int, str]
    refused: Mapping[int, str]
    chunks: Sequence[tuple[int, int]]
    priority: Priority
    expires_after: float
    idempotency: str
    digest: str


@dataclass(frozen=True, slots=True)
class Entry:
    """An item as it is kept: ready to run, its seed set."""

    number: int
    custom_id: str
    url: str
    body: dict[str, Any]

    @property
    def text(self) -> str:
        """What is stored."""
        return json.dumps([self.custom_id, self.url, self.body], ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def read(cls, number: int, text: str | None) -> Entry | None:
        """The item of a stored text."""
        return None if text is None else cls(number, *json.loads(text))


@dataclass(frozen=True, slots=True)
class Record:
    """A job.

    Attributes:
        id, status, priority, total, completed, failed: see :class:`app.jobs.schemas.Job`.
        chunks: first item and item after the last of each chunk.
        queued: whether its chunks were put into the queue.
        idempotency: digest of the key that made it, or "".
        times: when it came to each status, and when it expires.
        rate: smoothed items a second as of ``rate_at``.
        error: why it failed as a whole.
        now: the server's clock when it was read.
    """

    id: str
    status: Status
    priority: Priority
    total: int
    completed: int
    failed: int
    chunks: list[tuple[int, int]]
    queued: bool
    idempotency: str
    times: dict[str, float]
    rate: float
    rate_at: float
    error: str | None
    now: float

    @property
    def ended(self) -> bool:
        """Whether its status never changes any more."""
        return self.status in ENDED

    @classmethod
    def of(cls, fields: Mapping[str, str], now: float) -> Record:
        """The record of a job's hash.

        Raises:
            UnreadableError: it is none.
        """
        try:
            if fields["status"] not in get_args(Status) or fields["priority"] not in get_args(Priority):
                raise ValueError(f"status {fields['status']!r}, priority {fields['priority']!r}")
            return cls._of(fields, now)
        except (KeyError, ValueError, TypeError) as error:
            raise UnreadableError(f"the job's record cannot be read: {error!r}") from error

    @classmethod
    def _of(cls, fields: Mapping[str, str], now: float) -> Record:
        times = {name: float(fields[name]) for name in ("created_at", "expires_at")}
        times |= {f"{name}_at": float(fields[f"{name}_at"]) for name in _TIMES if f"{name}_at" in fields}
        return cls(
            id=fields["id"],
            status=fields["status"],  # type: ignore[arg-type]
            priority=fields["priority"],  # type: ignore[arg-type]
            total=int(fields["total"]),
            completed=int(fields["completed"]),
            failed=int(fields["failed"]),
            chunks=[(start, stop) for start, stop in json.loads(fields["chunks"])],
            queued="queued" in fields,
            idempotency=fields["idempotency"],
            times=times,
            rate=float(fields.get("rate", 0)),
            rate_at=float(fields.get("rate_at", 0)),
            error=fields.get("error"),
            now=now,
        )

    def report(self, smoothing: float) -> Job:
        """The job as its owner sees it."""
        rate = self._rate(smoothing)
        left = self.total - self.completed - self.failed
        return Job(
            id=self.id,
            status=self.status,
            priority=self.priority,
            request_counts=RequestCounts(total=self.total, completed=self.completed, failed=self.failed),
            rate=rate,
            seconds_left=round(left / rate, 3) if rate else None,
            error=self.error,
            **self.times,  # type: ignore[arg-type]
        )

    def _rate(self, smoothing: float) -> float | None:
        """The exponential average of items a second, brought to this moment; what it lacked at the start is added."""
        if self.status != "in_progress" or not self.rate:
            return None
        window = self.now - self.times["in_progress_at"]
        if window < LEAST_WINDOW:
            return None
        decayed = self.rate * math.exp(-max(0.0, self.now - self.rate_at) / smoothing)
        return round(decayed / (1 - math.exp(-window / smoothing)), 6) or None


def new_id() -> str:
    """A new job's id; later ones sort behind earlier ones."""
    return f"job_{time.time_ns() // 1_000_000:012x}{os.urandom(8).hex()}"
