"""Ground of the commands: progress bars, the model, and errors in one clear line."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Annotated, Any, NoReturn, TypeVar

import structlog
import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from app import logs
from app.engine.engine import Engine, open_engine
from app.loading import LOADING_ERRORS, fault_of
from app.settings.env_file import ENV_FILE, EnvFileError
from app.settings.settings import Settings
from app.settings.variables import labelled, unknown_variables
from app.web.codes import Code
from app.web.file_problems import file_problem
from app.web.problems import Fault, ProblemError
from app.web.validation import faults_of
from chainwright_client import Fault as AnsweredFault
from models.language.default_weights import Progress as OnProgress
from models.text.files import TextFileError

log = structlog.get_logger()

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
ModelOption = Annotated[str | None, typer.Option(help="default, a folder, or a hub id.")]
Encoding = Annotated[
    str | None,
    typer.Option(help="Encoding of files without a byte order mark, such as gbk; UTF-8 unless given."),
]


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work; failures that the user can mend end the process with code 2."""
    logs.configure(logging.WARNING)
    try:
        return asyncio.run(work)
    except ProblemError as error:
        fail(error.faults)
    except TextFileError as error:
        fail(file_problem(error).faults)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


def settings(**overrides: Any) -> Settings:
    """The settings of the environment with a command's options on top; exits with code 2 if they are wrong.

    A variable that is no setting is warned of in the log.
    """
    found = read_settings(**overrides)
    unknown = unknown_variables()
    if unknown:
        logs.configure(logging.WARNING)
        for name, near in unknown:
            log.warning("a variable is no setting", variable=name, **({"meant": near} if near else {}))
    return found


def read_settings(**overrides: Any) -> Settings:
    """The same without warnings."""
    try:
        return Settings(**{name: value for name, value in overrides.items() if value is not None})
    except EnvFileError as error:
        fail([Fault.parse(error, Code.UNUSABLE_FILE, ENV_FILE)])
    except ValidationError as error:
        found = error.errors()
        faults = zip(faults_of(found), found, strict=False)
        fail([fault.model_copy(update={"field": labelled(each)}) for fault, each in faults])


def fail(faults: list[Fault]) -> NoReturn:
    """Print a line for each fault on standard error and exit with code 2."""
    say(faults)
    raise typer.Exit(2)


def say(faults: list[Fault]) -> None:
    """Print a line for each fault on standard error."""
    for fault in faults:
        typer.echo(f"Error: {line_of(fault)}", err=True)


def line_of(fault: Fault | AnsweredFault) -> str:
    """A fault in a line: where, what is wrong, the remedy, the code."""
    where = f"{fault.field}: " if fault.field else ""
    return f"{where}{fault.message}; {fault.remedy}. [{fault.code}]"


@asynccontextmanager
async def engine(chosen: Settings, *, with_model: bool = True) -> AsyncIterator[Engine]:
    """The engine, with a progress bar while the default model is converted; see :func:`open_engine`.

    Raises:
        ProblemError: 503 if the model cannot be loaded.
    """
    async with AsyncExitStack() as stack:
        with conversion_bar() as progress:
            try:
                opened = await stack.enter_async_context(open_engine(chosen, progress, with_model=with_model))
            except LOADING_ERRORS as error:
                raise ProblemError(503, [fault_of(error)]) from error
        yield opened


def validated(schema: type[M], data: dict[str, Any], *, as_options: bool = False) -> M:
    """The request, or exit with code 2, where faults may name options in place of fields."""
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        faults = faults_of(error.errors())
        if as_options:
            faults = [fault.model_copy(update={"field": f"--{fault.field.replace('_', '-')}"}) for fault in faults]
        fail(faults)


@contextmanager
def conversion_bar() -> Iterator[OnProgress]:
    """A bar on standard error that shows itself once the conversion of the default model reports."""
    columns = (TextColumn("Preparing the model: {task.description}"), BarColumn(), TimeElapsedColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True)
    task = bar.add_task("", total=1.0)

    def report(what: str, share: float) -> None:
        if not bar.live.is_started:
            bar.start()
        bar.update(task, description=what, completed=share)
        if share >= 1:
            bar.stop()

    try:
        yield report
    finally:
        # Stopping a bar that does not run writes an empty line, which is no line of log.
        if bar.live.is_started:
            bar.stop()
