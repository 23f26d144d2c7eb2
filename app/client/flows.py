"""What takes several exchanges, without doing them: generators of calls, pauses and results.

Both clients drive the same generators, the one with blocking calls and the other with awaited ones.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

from app.client import calls
from app.client.attempts import PASSING
from app.client.bar import Progress, telling
from app.client.call import Call
from app.client.calls import Kind, Page
from app.client.errors import ClientError, ServiceError, TimedOutError, UnreachableError
from app.indexes.schemas import IndexReport
from app.jobs.schemas import ENDED, Job, ResultLine

T = TypeVar("T")

PATIENCE = 300.0
"""Seconds for which a service that was there may be away: it is started anew, say."""

WAIT = (0.1, 2.0)
"""Least and most seconds between two looks."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Wait so many seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Emit(Generic[T]):
    """Give this to the caller."""

    value: T


Flow: TypeAlias = Generator[Call[Any] | Pause | Emit[T], Any, None]


def ask(call: Call[T]) -> Generator[Call[Any] | Pause, Any, T]:
    """The answer of a call."""
    answer: T = yield call
    return answer


def retry_until(call: Call[T]) -> Generator[Call[Any] | Pause, Any, T]:
    """The same from a service that may be away for a while.

    Raises:
        ClientError: it is away for longer than :data:`PATIENCE`, or the error is of another kind.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return (yield from ask(call))
        except ClientError as error:
            passes = isinstance(error, UnreachableError | TimedOutError) or (
                isinstance(error, ServiceError) and error.status in PASSING
            )
            if not passes or time.monotonic() > until:
                raise
        yield Pause(WAIT[1])


def jobs() -> Flow[Job]:
    """All jobs, newest first."""
    after = None
    while True:
        found = yield from ask(calls.job_page(after))
        for job in found.data:
            yield Emit(job)
        if (after := found.next_cursor) is None:
            return


def wait(job: Job | str, *, progress: Progress = None, timeout: float | None = None) -> Flow[Job]:
    """A job once it has ended, however.

    Args:
        job: or its id.
        progress: True for a bar on standard error, or a function that takes each report meanwhile.
        timeout: seconds; None for ever.

    Raises:
        TimedOutError: the job has not ended in time; it goes on.
    """

    def ended(report: Job) -> bool:
        return report.status in ENDED

    with telling(progress) as tell:
        yield Emit((yield from _until(lambda: calls.job(job), ended, f"job {calls.id_of(job)}", timeout, tell)))


def _until(
    look: Callable[[], Call[T]],
    reached: Callable[[T], bool],
    what: str,
    timeout: float | None,
    tell: Callable[[T], None],
) -> Generator[Call[Any] | Pause, Any, T]:
    began, wait = time.monotonic(), WAIT[0]
    while True:
        report = yield from retry_until(look())
        tell(report)
        if reached(report):
            return report
        if timeout is not None and time.monotonic() - began > timeout:
            raise TimedOutError(f"{what} has not ended within {timeout:g} seconds; it goes on")
        yield Pause(wait)
        wait = min(WAIT[1], wait * 1.3)


def wait_index(name: str, *, timeout: float | None = None) -> Flow[IndexReport]:
    """An index once it is built, or has failed to be, as its ``build`` tells.

    Raises:
        TimedOutError: it is not built in time; the build goes on.
    """

    def built(report: IndexReport) -> bool:
        return report.build is None or report.build.state in ("ready", "failed")

    report = yield from _until(lambda: calls.index(name), built, f"index {name}", timeout, lambda report: None)
    yield Emit(report)


def pages(job: Job | str, kind: Kind, *, after: int = -1, follow: bool = True) -> Flow[Page]:
    """Lines of a job by pages, in the order of the items.

    Args:
        job: or its id.
        kind: results or errors.
        after: cursor of the page before.
        follow: whether to wait for what is not done; else it ends before the first item that is not.
    """
    return _pages(job, kind, after, follow, lambda page: [page])


def results(job: Job | str, *, after: int = -1, follow: bool = True) -> Flow[ResultLine]:
    """Answers of a job in the order of its items, by default until it has ended; see :func:`pages`."""
    return _pages(job, "results", after, follow, lambda page: page.lines)


def errors(job: Job | str, *, after: int = -1, follow: bool = True) -> Flow[ResultLine]:
    """Items without an answer, and why; see :func:`pages`."""
    return _pages(job, "errors", after, follow, lambda page: page.lines)


def _pages(
    job: Job | str, kind: Kind, after: int, follow: bool, parts: Callable[[Page], Iterable[T]]
) -> Generator[Call[Any] | Pause | Emit[T], Any, None]:
    wait = WAIT[0]
    while True:
        page = yield from retry_until(calls.page(job, kind, after))
        moved, after = page.cursor > after, page.cursor
        for part in parts(page) if moved else ():
            yield Emit(part)
        if not page.more or not (moved or follow):
            return
        if moved:
            wait = WAIT[0]
        else:
            yield Pause(wait)
            wait = min(WAIT[1], wait * 1.3)


def cancel(job: Job | str) -> Flow[Job]:
    """Cancel a job; one that has ended stays as it is."""
    report = yield from ask(calls.job(job))
    if report.status not in ENDED:
        report = (yield from ask(calls.delete_job(job))) or report
    yield Emit(report)
