"""The commands `chainwright keys ...`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError
from rich.console import Console
from rich.table import Table

from app.cli import console
from app.web.access.keys import KeyFileError, create_key, read_keys, revoke_key
from app.web.access.ring import keys_path
from app.web.codes import Code
from app.web.problems import Fault, ProblemError, invalid
from app.web.validation import faults_of

keys_cli = typer.Typer(
    no_args_is_help=True, help="API keys: with a file of them, even an empty one, callers need a key."
)

FileOption = Annotated[
    Path | None, typer.Option(help="The file; CHAINWRIGHT_KEYS_FILE, else keys.json of the state directory.")
]


@contextmanager
def _key_file(file: Path | None) -> Iterator[Path]:
    """The file of keys; what is wrong with it or a key ends the command with code 2."""
    try:
        yield file or keys_path(console.settings())
    except ValidationError as error:
        console.fail(faults_of(error.errors()))
    except KeyFileError as error:
        console.fail([Fault.parse(error, Code.UNUSABLE_FILE)])
    except ProblemError as error:
        console.fail(error.faults)


@keys_cli.command()
def create(
    name: Annotated[str, typer.Argument(help="Whose it is.")],
    rate: Annotated[str | None, typer.Option(help="Its own rate, such as 600/minute.")] = None,
    quota: Annotated[str | None, typer.Option(help="Its own quota, such as 100000/day.")] = None,
    file: FileOption = None,
) -> None:
    """Make a key, and print it this once: only its hash is kept. Running services take it within seconds."""
    with _key_file(file) as path:
        key, token = create_key(path, name, rate, quota)
    typer.echo(token)
    typer.echo(
        f"key {key.id} of {key.name}, its hash in {path}; keep the line above, it cannot be shown again", err=True
    )


@keys_cli.command("list")
def list_keys(
    file: FileOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the keys: their ids, whose they are, and their limits."""
    with _key_file(file) as path:
        try:
            keys = list(read_keys(path).values())
        except FileNotFoundError:
            keys = []
            typer.echo(f"{path} is not there: the service needs no key", err=True)
    if as_json:
        typer.echo(json.dumps([key.model_dump(mode="json", exclude={"sha256"}) for key in keys], ensure_ascii=False))
        return
    table = Table("id", "name", "created", "rate", "quota", box=None)
    for key in keys:
        table.add_row(key.id, key.name, f"{key.created:%Y-%m-%d %H:%M}", key.rate or "", key.quota or "")
    Console().print(table)


@keys_cli.command()
def revoke(
    number: Annotated[str, typer.Argument(metavar="ID", help="Eight hexadecimal digits, as list shows.")],
    file: FileOption = None,
) -> None:
    """Take a key back. Running services refuse it within seconds."""
    with _key_file(file) as path:
        if not revoke_key(path, number):
            raise invalid("ID", Code.NOT_FOUND, f"{path} has no key {number}", "see chainwright keys list")
    typer.echo(f"key {number} revoked", err=True)
