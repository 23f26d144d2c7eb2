"""The commands of tasks, all made by one factory."""

from __future__ import annotations

import inspect
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.live import Live

from app.cli import console
from app.cli.options import Options, with_parameters
from app.engine.engine import Engine
from app.tasks.routes import place_of
from app.tasks.task import Task
from app.web.problems import ProblemError


def add_command(cli: typer.Typer, task: type[Task[Any, Any]]) -> None:
    """Add the command of a task: it runs the task in this process."""
    options = Options(task.request, task.argument, {"stream": None, **task.options})
    place = place_of(task)

    def command(
        model: Annotated[str | None, typer.Option(help="default, a folder, or a hub id.")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
        watch: Annotated[bool, typer.Option("--watch", help="Show how it goes on, where the task streams.")] = False,
        **given: Any,
    ) -> None:
        bound = task(**{name: given.pop(name) for name in place})
        request = options.read(task.request, given, task.body_of)

        async def work() -> BaseModel:
            settings = console.settings(**{task.model_setting: model})
            async with console.engine(settings, with_model=task.model_setting == "model") as engine:
                try:
                    watched = watch and task.streams()
                    return await (_watched(bound, request, engine) if watched else bound.run(request, engine))
                except ProblemError as error:
                    raise ProblemError(error.status, options.named(error.faults)) from error

        answer = console.run(work())
        if as_json:
            typer.echo(answer.model_dump_json(indent=2))
            return
        shown = task.render(answer)
        if isinstance(shown, str):
            typer.echo(shown)
        else:
            Console().print(shown)
        if note := task.note(answer):
            typer.echo(note, err=True)

    keyword = inspect.Parameter.KEYWORD_ONLY
    where = [inspect.Parameter(name, keyword, annotation=Annotated[str, typer.Argument()]) for name in place]
    finished = with_parameters(command, [*where, *options.parameters()])
    cli.command(task.kind, help=_paragraphs(task.description))(finished)


async def _watched(task: Task[Any, Any], request: BaseModel, engine: Engine) -> BaseModel:
    """The answer of a stream whose latest event is shown on standard error."""
    with Live(console=Console(stderr=True), refresh_per_second=8, transient=True) as live:
        async with task.stream(request, engine) as events:
            async for event in events:
                if event.name == "done":
                    return event.data
                if (shown := task.render_event(event)) is not None:
                    live.update(shown)
    raise AssertionError("a stream ends with `done` or an error")


def _paragraphs(text: str) -> str:
    """A text whose lines are joined within its paragraphs."""
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n"))
