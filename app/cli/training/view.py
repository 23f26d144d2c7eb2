"""A training as it is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from models.retrieval.training.train import Report

STEPS_A_LINE = 50
"""Steps between lines where there is no terminal to draw a bar on."""


@dataclass(eq=False)
class TrainingView:
    """A bar with step, losses, rate and time left, and a line for each evaluation on dev."""

    bar: Progress
    task: TaskID  # in the bar
    batch: int  # questions a step
    _right: str = ""

    def update(self, report: Report) -> None:
        """Show a step or an evaluation."""
        if report.dev:
            self._right = f"dev {report.right:.1%} right"
            scale = "" if report.scale == 1 else f" at {report.scale} of its scale"
            self._line(
                f"{_step(report)}: dev{scale} {_losses(report)}, {report.right:.1%} right{', best' * report.best}"
            )
        elif not self.bar.console.is_terminal and report.step % STEPS_A_LINE == 0:
            self._line(f"{_step(report)}: {_losses(report)}, {self._pace(report)}")
        self.bar.update(
            self.task,
            completed=report.step,
            total=report.steps,
            losses=_losses(report),
            right=self._right,
            pace=self._pace(report),
        )

    def _line(self, text: str) -> None:
        self.bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _pace(self, report: Report) -> str:
        if not report.rate:
            return ""
        seconds = (report.steps - report.step) * self.batch / report.rate
        return f"{report.rate:.1f} questions/s, {timedelta(seconds=round(seconds))} left"


@contextmanager
def training_view(batch: int, step: int, steps: int) -> Iterator[TrainingView]:
    """Show a training on standard error, from a step on."""
    columns = [
        TextColumn("step"),
        MofNCompleteColumn(),
        BarColumn(20),
        *(TextColumn(f"{{task.fields[{name}]}}") for name in ("losses", "right", "pace")),
    ]
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", completed=step, total=steps, losses="", right="", pace="")
        yield TrainingView(bar, task, batch)


def _step(report: Report) -> str:
    return f"step {report.step}/{report.steps}"


def _losses(report: Report) -> str:
    return f"language {report.language:.3f} siblings {report.siblings:.3f}"
