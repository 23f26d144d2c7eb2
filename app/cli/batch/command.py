"""`chainwright batch FILE -o OUT`."""

from __future__ import annotations

import asyncio
import uuid
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from filelock import FileLock, Timeout

from app.cli import console
from app.cli.batch.ledger import Ledger, Notes
from app.cli.batch.run import run
from app.cli.batch.source import BadLinesError, Source, read_source
from app.cli.batch.table import (
    KINDS,
    Carried,
    FileFormat,
    Formats,
    read_rows,
    refuse_options,
    write_results,
)
from app.cli.service import ApiKey, Url, service
from app.jobs.schemas import OnInvalid
from app.tasks.registry import TASKS
from app.web.codes import Code
from app.web.file_problems import file_problem
from app.web.problems import Fault, ProblemError, invalid
from chainwright_client import AsyncClient, ClientError, Job, ServiceError
from models.text.files import TextFileError
from models.text.tables.files import check_format

FAILED, UNFINISHED = 1, 3
"""Exit codes: some items have no answer; the job could not be finished. 2: bad input, and nothing has run."""


def batch(
    file: Annotated[
        Path,
        typer.Argument(
            help="JSON Lines of {custom_id, url, body}; with --route, of bodies. Or a table: .csv, .tsv, .parquet, "
            ".xlsx."
        ),
    ],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", help="Results, in the order of FILE; its name tells its format.", dir_okay=False
        ),
    ],
    route: Annotated[
        str | None,
        typer.Option(help=f"Path of a task, for lines that are bodies of it, and for tables; there {TASKS[0].path}."),
    ] = None,
    fields: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Field of the body that a column of a table fills, such as keywords=词 or length.max=max; may be "
            "repeated. Unless given, columns that are called as fields are.",
        ),
    ] = None,
    constants: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Value of a field where no cell fills it; may be repeated."),
    ] = None,
    form: Annotated[
        FileFormat | None,
        typer.Option("--format", help="Of FILE, and of OUTPUT unless its name tells; as FILE is named unless given."),
    ] = None,
    url: Url = None,
    api_key: ApiKey = None,
    on_invalid: Annotated[OnInvalid, typer.Option(help="Refuse all for a bad line, or skip such lines.")] = "refuse",
    again: Annotated[
        bool, typer.Option("--again", help="Forget an earlier run, its files too, and start anew.")
    ] = False,
    encoding: console.Encoding = None,
    model: Annotated[str | None, typer.Option(help="Of the service in this process.")] = None,
) -> None:
    """Work off a file of requests; run again after any interruption, it goes on where it was.

    Of a table every row comes back with all its columns and those of its result, in OUTPUT; the whole answers are in
    OUTPUT.jsonl. Cells of lists of words are split at spaces, commas, 、 and ;.

    Exits with 0 if every item has an answer, 1 if some have none (OUTPUT.errors.jsonl says why, of a table its column
    error), 2 if the input is wrong and nothing was run, 3 if the service cannot be reached or the job could not be
    finished.
    """
    settings = console.settings(model=model)
    where = url.rstrip("/") if url else f"embedded:{settings.state_dir.absolute()}"
    try:
        formats = Formats.of(file, output, form)
        _refuse_same(file, output)
        if formats.output is not None:
            check_format(formats.output)
        if formats.given is None:
            refuse_options(fields or [], constants or [])
            source, carried = read_source(file, route, encoding), None
        else:
            source, carried = read_rows(file, formats.given, encoding, route, fields or [], constants or [])
        digest = source.digest(on_invalid)
        table = formats.output is not None
        key = f"batch-{digest}" + (f"-{uuid.uuid4().hex}" if again else "")
        output.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{output}.lock", timeout=0):
            ledger = Ledger.open(output, Notes(where=where, digest=digest, key=key), again=again, table=table)
            job = console.run(_work(service(url, api_key, settings), source, ledger, on_invalid))
            if formats.output is not None:
                write_results(output, formats.output, carried or Carried.of_lines(source), map(ledger.file, KINDS))
            _end(ledger, job)
    except BadLinesError as error:
        console.fail(error.faults)
    except TextFileError as error:
        console.fail(file_problem(error, "FILE").faults)
    except ProblemError as error:
        console.fail(error.faults)
    except Timeout:
        fault = Fault(
            field=str(output), code=Code.IN_USE, message="another batch is writing it", remedy="wait for it, or stop it"
        )
        console.fail([fault])
    except OSError as error:
        _give_up(f"{error.filename or output}: {error.strerror or error}", "mend that")
    except ClientError as error:
        if isinstance(error, ServiceError) and error.status == 404:
            _give_up(str(error), "start anew with --again")
        _give_up(str(error), "run the same again to go on")


async def _work(
    opened: AbstractAsyncContextManager[AsyncClient], source: Source, ledger: Ledger, on_invalid: OnInvalid
) -> Job:
    try:
        async with opened as client:
            return await run(client, source, ledger, on_invalid)
    except asyncio.CancelledError:
        typer.echo("Interrupted; run the same again to go on.", err=True)
        raise


def _end(ledger: Ledger, job: Job) -> None:
    """Say what came of it, and exit."""
    results, errors = ledger.notes.results.lines, ledger.notes.errors.lines
    if ledger.table:
        typer.echo(f"{results} results and {errors} errors in {ledger.output}", err=True)
        typer.echo(f"whole answers in {ledger.file('results')}", err=True)
    else:
        typer.echo(f"{results} results in {ledger.file('results')}", err=True)
    if errors:
        typer.echo(f"{errors} errors in {ledger.file('errors')}", err=True)
    if job.status != "completed":
        reason = f": {job.error}" if job.error else ""
        _give_up(f"job {job.id} is {job.status}{reason}", "start anew with --again")
    if errors:
        raise typer.Exit(FAILED)


def _refuse_same(file: Path, output: Path) -> None:
    """Refuse to write results over the requests.

    Raises:
        ProblemError: 422.
    """
    if file.absolute() == output.absolute() or (file.exists() and output.exists() and file.samefile(output)):
        raise invalid("--output", Code.CONTRADICTORY, "it is FILE itself", "name another file")


def _give_up(message: str, remedy: str) -> NoReturn:
    typer.echo(f"Error: {message}; {remedy}.", err=True)
    raise typer.Exit(UNFINISHED)
