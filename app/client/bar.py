"""How far a job is, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

from app.jobs.schemas import Job

Progress = bool | Callable[[Job], None] | None
"""True for a bar, or what takes each report."""


@contextmanager
def telling(progress: Progress) -> Iterator[Callable[[Job], None]]:
    """What takes each report."""
    if progress is True:
        with bar() as tell:
            yield tell
    elif callable(progress):
        yield progress
    else:
        yield lambda job: None


@contextmanager
def bar() -> Iterator[Callable[[Job], None]]:
    """A bar."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=None, note="")

        def tell(job: Job) -> None:
            counts = job.request_counts
            notes = [f"{counts.failed} failed"] if counts.failed else []
            if job.rate is not None:
                notes.append(f"{job.rate:.3g}/s")
            if job.seconds_left is not None:
                notes.append(f"{job.seconds_left:.0f} s left")
            done = counts.completed + counts.failed
            bars.update(task, description=job.status, total=counts.total, completed=done, note=", ".join(notes))

        yield tell
