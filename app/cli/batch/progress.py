"""Progress of a job, on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chainwright_client import Job


@contextmanager
def progress_bar() -> Iterator[Callable[[Job], None]]:
    """A bar, and the function that moves it by a report of the job."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("", total=None, note="")

        def show(job: Job) -> None:
            counts = job.request_counts
            notes = [f"{counts.failed} failed"] if counts.failed else []
            if job.rate is not None:
                notes.append(f"{job.rate:.3g}/s")
            if job.seconds_left is not None:
                notes.append(f"{job.seconds_left:.0f} s left")
            done = counts.completed + counts.failed
            bars.update(task, description=job.status, total=counts.total, completed=done, note=", ".join(notes))

        yield show
