"""Check of a submission: every line as its route would check it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pydantic import ValidationError

from app.engine.engine import Engine
from app.jobs.intake.chunking import chunks_of
from app.jobs.intake.submission import Submission
from app.jobs.schemas import Item
from app.jobs.store.lines import error_line
from app.jobs.store.record import Accepted, Entry, new_id
from app.settings.settings import Settings
from app.tasks.registry import task_at
from app.web.codes import Code
from app.web.problems import Fault, ProblemError, invalid
from app.web.validation import faults_of

Read = TypeVar("Read", bound=Item)

MAX_FAULTS = 1000
"""Faults listed in one answer."""

LINES_AT_A_TIME = 100
"""Lines checked before a client that has left is noticed."""


@dataclass(eq=False)
class Intake:
    """Check of the lines of one submission.

    Attributes:
        engine: the model and the indexes that must be able to answer them.
        batch: what makes the job a batch, or ""; see :class:`app.jobs.store.record.Record`.
        job_id: of the job that is made.
    """

    submission: Submission
    engine: Engine
    settings: Settings
    batch: str = ""
    job_id: str = field(default_factory=new_id)
    _seconds: list[float] = field(default_factory=list)
    _entries: dict[int, Entry] = field(default_factory=dict)
    _refused: dict[int, list[Fault]] = field(default_factory=dict)
    _names: dict[str, int] = field(default_factory=dict)

    async def accepted(self, idempotency: str, digest: str) -> Accepted:
        """Job of the lines.

        Args:
            idempotency: digest of the idempotency key, or "".
            digest: of the whole request.

        Raises:
            ProblemError: 422, with the faults of the bad lines.
        """
        lines, most = self.submission.lines, self.engine.limits.max_job_items
        if len(lines) > most:
            message = f"{len(lines)} items are above the limit of {most}"
            raise invalid("", Code.TOO_MANY, message, f"give at most {most}")
        self._names = {f"item-{number}": number for number, line in enumerate(lines) if _nameless(line)}
        for start in range(0, len(lines), LINES_AT_A_TIME):
            await asyncio.to_thread(self._check, range(start, min(start + LINES_AT_A_TIME, len(lines))))
        skip = self.submission.options.on_invalid == "skip"
        if self._refused and not (skip and self._entries):
            raise ProblemError(422, self._faults())
        return Accepted(
            id=self.job_id,
            items={number: entry.text for number, entry in self._entries.items()},
            refused={number: self._error(number, faults) for number, faults in self._refused.items()},
            chunks=chunks_of(self._seconds),
            priority=self.submission.options.priority or "bulk",
            expires_after=self.submission.options.expires_after or self.settings.job_seconds,
            idempotency=idempotency,
            digest=digest,
            batch=self.batch,
        )

    def _check(self, numbers: range) -> None:
        for number in numbers:
            seconds = 0.0
            try:
                self._entries[number], seconds = self._entry(number)
            except ProblemError as error:
                self._refused[number] = error.faults
            self._seconds.append(seconds)

    def _entry(self, number: int) -> tuple[Entry, float]:
        """Item of a line, and its expected time in seconds."""
        item = read_item(self.submission.lines[number], Item)
        name = item.custom_id or f"item-{number}"
        if self._names.setdefault(name, number) != number:
            raise duplicate(name, self.submission.where(self._names[name], ""))
        task = task_at(item.url)
        try:
            request = task.read(item.body)
            task.check(request, self.engine)
        except ProblemError as error:
            raise ProblemError(error.status, [_inside(fault) for fault in error.faults]) from None
        body = item.body
        if "seed" in type(request).model_fields and request.seed is None:
            body = body | {"seed": self._seed(number)}
        return Entry(number, name, item.url, body), task.expected_seconds(request)

    def _seed(self, number: int) -> int:
        """Seed of an item without one, so that every try of it gives the same."""
        digest = hashlib.blake2b(f"{self.job_id}:{number}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 11  # below 2**53, exact in JavaScript

    def _faults(self) -> list[Fault]:
        return placed(self._refused, self.submission)

    def _error(self, number: int, faults: list[Fault]) -> str:
        line = self.submission.lines[number]
        given = line.get("custom_id") if isinstance(line, dict) else None
        name = given[:256] if isinstance(given, str) and given else f"item-{number}"
        problem = ProblemError(422, faults).problem().model_dump(exclude_none=True, exclude={"instance"})
        return error_line(self.job_id, number, name, "invalid_request", str(problem["detail"]), 422, problem)


def read_item(line: Any | Fault, schema: type[Read]) -> Read:
    """Item of a line.

    Raises:
        ProblemError: 422, it is none.
    """
    if isinstance(line, Fault):
        raise ProblemError(422, [line])
    try:
        return schema.model_validate(line)
    except ValidationError as error:
        # A path that begins with "body" is taken for FastAPI's, which so names the whole body.
        errors = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
        raise ProblemError(422, faults_of(errors)) from None


def duplicate(name: str, where: str) -> ProblemError:
    """422 for a custom_id that stands on the line ``where`` already."""
    message = f"{name!r} is the custom_id of another line, {where}"
    return invalid("custom_id", Code.DUPLICATE, message, "give each line one of its own")


def placed(refused: Mapping[int, list[Fault]], submission: Submission) -> list[Fault]:
    """Faults of lines, by the numbers of the lines, with their places in the submission."""
    found = [
        fault.model_copy(update={"field": submission.where(number, fault.field)})
        for number, faults in sorted(refused.items())
        for fault in faults[:3]
    ]
    return found[:MAX_FAULTS]


def _nameless(line: Any) -> bool:
    return isinstance(line, dict) and line.get("custom_id") is None


def _inside(fault: Fault) -> Fault:
    if fault.field == "url":
        return fault
    return fault.model_copy(update={"field": f"body{'.' if fault.field else ''}{fault.field}"})


def digest_of(*parts: Any) -> str:
    """Digest of a request or a key."""
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part if isinstance(part, bytes) else str(part).encode("utf-8", "backslashreplace")
        state.update(len(data).to_bytes(8, "big") + data)
    return state.hexdigest()
