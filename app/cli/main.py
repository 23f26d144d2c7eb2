"""The command `chainwright`."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli import console
from app.cli.batch.command import batch
from app.cli.bundle.command import bundle
from app.cli.calibrate import command as calibrate
from app.cli.doctor.command import doctor
from app.cli.evaluate.commands import evaluate_cli
from app.cli.index import index_cli
from app.cli.keys import keys_cli
from app.cli.mcp.command import mcp
from app.cli.netcdf import netcdf
from app.cli.serve import serve as run_server
from app.cli.task_commands import add_command
from app.cli.training.commands import train_cli
from app.cli.worker import worker as run_worker
from app.tasks import registry

cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Constrained text generation: keywords in, fluent sentences out; questions in, facts of an index out. "
    "Settings come from the environment, with the prefix CHAINWRIGHT_.",
)
cli.add_typer(evaluate_cli, name="evaluate")
cli.add_typer(index_cli, name="index")
cli.add_typer(train_cli, name="train")
cli.add_typer(keys_cli, name="keys")
cli.command()(batch)
cli.command()(bundle)
cli.command()(doctor)
cli.command()(mcp)
cli.command()(netcdf)
cli.command("calibrate")(calibrate)
for task in registry.TASKS:
    add_command(cli, task)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    model: console.ModelOption = None,
    first_request: Annotated[
        bool, typer.Option("--first-request", help="Send a first request once ready, and print the answer.")
    ] = False,
) -> None:
    """Serve over HTTP."""
    run_server(console.settings(host=host, port=port, model=model), first_request=first_request)


@cli.command()
def worker(
    model: console.ModelOption = None,
    items: Annotated[int | None, typer.Option(help="Items of jobs to run side by side.")] = None,
) -> None:
    """Work off jobs of the queue that CHAINWRIGHT_QUEUE_URL or CHAINWRIGHT_REDIS_URL names."""
    run_worker(console.settings(model=model, worker_items=items))
