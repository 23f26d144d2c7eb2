"""`chainwright train ...`."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Annotated, Any

import typer

from app import logs
from app.cli import console
from app.cli.options import Options, with_parameters
from app.web.problems import ProblemError
from models.retrieval.training.options import TrainingOptions

train_cli = typer.Typer(no_args_is_help=True, help="Train what the service needs learnt.")

Rows = typer.Option(min=1, help="Only the first so many questions of it.")
Questions = typer.Argument(help='JSON Lines: {"question": "...", "answer": "S ||| P ||| O"}.')


@train_cli.callback()
def _group() -> None:
    """Keeps `retrieval` a name of its own beside others to come."""


OPTIONS = Options(TrainingOptions)


def retrieval(
    train: Annotated[Path, Questions],
    dev: Annotated[Path, Questions],
    folder: Annotated[Path, typer.Argument(help="Gets checkpoints, the best adapter and a card.", file_okay=False)],
    model: Annotated[str | None, typer.Option(help="Model to adapt: default, a folder, or a hub id.")] = None,
    adapter: Annotated[
        str | None, typer.Option(help="Adapter to go on from: default (the shipped one), or a folder.")
    ] = None,
    encoding: console.Encoding = None,
    train_rows: Annotated[int | None, Rows] = None,
    dev_rows: Annotated[int, Rows] = 300,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card as JSON.")] = False,
    **options: Any,
) -> None:
    """Train an adapter that writes the key of a question's fact; run again, it goes on where it was.

    Ctrl-C saves a checkpoint and ends; again, at once.
    """
    # Here, for it imports peft, which takes a second.
    from app.cli.training.work import RetrievalTraining, train_retrieval

    chosen_options = OPTIONS.read(TrainingOptions, options)
    training = RetrievalTraining(train, dev, folder, train_rows, dev_rows, chosen_options, adapter, encoding)
    logs.configure(logging.WARNING)
    try:
        with console.conversion_bar() as progress:
            settings = console.settings(retrieval_model=model)
            found = train_retrieval(training, settings, progress, lambda text: typer.echo(text, err=True))
    except ProblemError as error:
        console.fail(error.faults)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    if found is None:
        raise typer.Exit(130)
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    best, scaled = found["best"], found["scales"][0]
    typer.echo(
        f"{found['steps']} steps in {found['seconds']:,.0f} s; best on dev after step {best['step']}: "
        f"language {best['language']:.3f}, siblings {best['siblings']:.3f}, {best['right']:.1%} right; kept at "
        f"{scaled['factor']} of its scale: language {scaled['language']:.3f}, siblings {scaled['siblings']:.3f}, "
        f"{scaled['right']:.1%} right"
    )
    named = "" if model is None else f"CHAINWRIGHT_RETRIEVAL_MODEL={model} "
    typer.echo(f"To search with it: {named}CHAINWRIGHT_RETRIEVAL_ADAPTER={folder}/adapter chainwright search ...")


train_cli.command("retrieval")(with_parameters(retrieval, OPTIONS.parameters()))
