"""`chainwright index ...`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from app.cli import console
from app.indexes import trie
from app.indexes.builds import Builds
from app.indexes.changes import change, list_indexes, report
from app.indexes.formats import AnyFormat, File, is_triples, sources_of
from app.indexes.library import Library
from app.indexes.opened import open_library
from app.indexes.problems import as_problem
from app.indexes.schemas import LANGUAGE, IndexReport, PatchRequest
from app.web.codes import Code
from app.web.problems import Fault, ProblemError, invalid
from models.retrieval.index.building import Progress as OnProgress
from models.text.files import STANDARD_INPUT

index_cli = typer.Typer(no_args_is_help=True, help="Build, list, change and delete indexes.")

Name = Annotated[str, typer.Argument(help="Name of the index: a-z, 0-9, _ and -.")]
Model = Annotated[str | None, typer.Option(help="Model that writes keys: default, a folder, or a hub id.")]


@contextmanager
def _library(model: str | None = None) -> Iterator[Library]:
    """The indexes; what the user can mend ends the process with code 2."""
    try:
        with console.conversion_bar() as progress:
            library = open_library(console.settings(retrieval_model=model), progress)
            with as_problem(library.root, "NAME"):
                yield library
    except ProblemError as error:
        console.fail(error.faults)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None


@index_cli.command()
def build(
    name: Name,
    files: Annotated[list[Path], typer.Argument(help="Lines, plain or gzipped; - for standard input.")],
    format: Annotated[
        AnyFormat,
        typer.Option(
            help="triples: S<TAB>P<TAB>O; pairs: key<TAB>value; -jsonl: JSON Lines; csv: CSV of either; ntriples: "
            "N-Triples; neo4j: Neo4j's CSV; auto: as the file looks."
        ),
    ] = "auto",
    encoding: console.Encoding = None,
    alias: Annotated[list[Path] | None, typer.Option(help="Lines alias<TAB>subject; may be repeated.")] = None,
    both_ends: Annotated[
        bool, typer.Option("--both-ends", help="Index each triple from its object, too: O ^P gives S.")
    ] = False,
    language: Annotated[str | None, typer.Option(help=f"Tag {LANGUAGE}.")] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Refuse the whole where a line cannot be read.")] = False,
    typos: Annotated[
        bool, typer.Option("--typos/--no-typos", help="Let names that a question misspells by one character be found.")
    ] = True,
    model: Model = None,
    as_json: console.Json = False,
) -> None:
    """Build an index, or another in its place; it appears whole or, whenever killed, not at all."""
    with _library(model) as library, _bar() as progress, TemporaryDirectory() as folder:
        given = [File(_read_twice(file, Path(folder)), format, encoding, language=language) for file in files]
        others = [File(_read_twice(file, Path(folder)), encoding=encoding) for file in alias or ()]
        formats = [file.chosen() for file in given]
        if len({is_triples(each) for each in formats}) > 1:
            remedy = "build an index of each kind"
            raise invalid("FILES", Code.CONTRADICTORY, "some hold triples and some pairs", remedy)
        if both_ends and not is_triples(formats[0]):
            remedy = "leave it out, or give triples"
            raise invalid("--both-ends", Code.CONTRADICTORY, "pairs of key and value have one end", remedy)
        library.build(
            name,
            sources_of(given, formats, both_ends=both_ends),
            triples=is_triples(formats[0]),
            aliases=[file.aliases() for file in others],
            strict=strict,
            typos=typos,
            progress=progress,
        )
        _print_report(report(name, library, Builds(library)), as_json)


def _read_twice(file: Path, folder: Path) -> Path:
    """A file that can be read again from its beginning: the file, or a copy of what comes through a pipe."""
    piped = file == STANDARD_INPUT
    if not piped and not file.is_fifo():
        return file
    copy = folder / f"{len(list(folder.iterdir()))}" / (file.name if not piped else "standard input")
    copy.parent.mkdir()
    with open(0, "rb", closefd=False) if piped else file.open("rb") as source, copy.open("wb") as target:
        shutil.copyfileobj(source, target)
    return copy


@index_cli.command("list")
def list_(as_json: console.Json = False) -> None:
    """All indexes."""
    with _library() as library:
        reports = list_indexes(library, Builds(library))
    if as_json:
        _print_json([each.model_dump() for each in reports])
        return
    table = Table("name", "state", "keys", "values", "MB", "malformed lines", box=None)
    for each in reports:
        read = "" if each.report is None else f"{each.report.malformed:,}"
        figures = ["" if number is None else f"{number:,}" for number in (each.keys, each.values)]
        size = "" if each.bytes is None else f"{each.bytes / 1e6:.1f}"
        table.add_row(each.name, each.state, *figures, size, read)
    Console().print(table)


@index_cli.command()
def info(name: Name, as_json: console.Json = False) -> None:
    """One index: sizes, changes, malformed lines."""
    with _library() as library:
        _print_report(report(name, library, Builds(library), opening=True), as_json)


@index_cli.command()
def walk(
    name: Name,
    tokens: Annotated[list[int] | None, typer.Argument(min=0, max=2**32 - 1, help="Ids of a prefix's tokens.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=trie.MAX_BRANCHES, help="Branches at most.")] = 50,
    offset: Annotated[int, typer.Option(min=0, help="Branches to pass over.")] = 0,
    as_json: console.Json = False,
) -> None:
    """The branches of an index after a prefix, and how many keys are below each."""
    with _library() as library:
        found = trie.walk(name, tokens or [], limit, offset, library)
    if as_json:
        _print_json(found.model_dump())
        return
    typer.echo(f"{found.keys:,} keys, {found.total:,} branches after {found.text!r}")
    if found.complete:
        typer.echo(f"values: {'; '.join(found.values)}")
    table = Table("token", "text", "keys", box=None)
    for branch in found.branches:
        table.add_row(str(branch.id), escape(repr(branch.text)), f"{branch.keys:,}")
    Console().print(table)


@index_cli.command()
def add(
    name: Name,
    fields: Annotated[list[str], typer.Argument(help="Subject, predicate and objects; or key and values.")],
    meaning: Annotated[str | None, typer.Option(help="What tells subjects of one name apart.")] = None,
    as_json: console.Json = False,
) -> None:
    """Add values to a key, which need not exist; seen by every later search, a running service's too."""
    _change(name, "add", fields, meaning, as_json)


@index_cli.command()
def remove(
    name: Name,
    fields: Annotated[list[str], typer.Argument(help="Subject and predicate, or key; then values, all if none.")],
    meaning: Annotated[str | None, typer.Option(help="What tells subjects of one name apart.")] = None,
    as_json: console.Json = False,
) -> None:
    """Remove a key, or some of its values."""
    _change(name, "remove", fields, meaning, as_json)


@index_cli.command()
def delete(name: Name) -> None:
    """Delete an index."""
    with _library() as library:
        library.delete(name)


@index_cli.command()
def merge(name: Name, as_json: console.Json = False) -> None:
    """Rebuild an index with its changes."""
    with _library() as library:
        library.merge(name)
        _print_report(report(name, library, Builds(library)), as_json)


def _change(name: str, what: str, fields: list[str], meaning: str | None, as_json: bool) -> None:
    with _library() as library:
        parts = library.open(name).key_format.fields
        if len(fields) < parts + (what == "add"):
            due = "key" if parts == 1 else "subject, predicate"
            due += ", and one or more values" if what == "add" else ""
            raise invalid("FIELDS", Code.TOO_FEW, f"{len(fields)} are too few for this index", f"give {due}")
        names = ["key"] if parts == 1 else ["subject", "predicate"]
        entry: dict[str, Any] = dict(zip(names, fields[:parts], strict=True))
        entry |= {"meaning": meaning} if meaning is not None else {}
        entry |= {"values": fields[parts:]} if fields[parts:] else {}
        answer = change(name, console.validated(PatchRequest, {what: [entry]}), library)
    if as_json:
        _print_json(answer.model_dump())
    else:
        counts = ("added", "removed", "known", "missing", "keys")
        typer.echo(", ".join(f"{getattr(answer, count):,} {count}" for count in counts))
    if not answer.added and not answer.removed:
        console.fail(
            [Fault(field="FIELDS", code=Code.NO_EFFECT, message="nothing was changed", remedy="see what the index has")]
        )


@contextmanager
def _bar() -> Iterator[OnProgress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    errors = Console(stderr=True)
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        tasks: dict[str, Any] = {}

        def report_progress(step: str, done: int, total: int) -> None:
            if step not in tasks:
                tasks[step] = bar.add_task(step, total=total or None)
            bar.update(tasks[step], completed=done, total=total or None)

        yield report_progress


def _print_report(found: IndexReport, as_json: bool) -> None:
    if as_json:
        _print_json(found.model_dump())
        return
    for field, value in found:
        shown = value
        if isinstance(value, BaseModel):
            shown = ", ".join(f"{name} {each:,}" for name, each in value if isinstance(each, int))
        if shown is not None:
            typer.echo(f"{field}: {', '.join(shown) if isinstance(shown, list) else shown}")
    if found.report is None:
        return
    for line in found.report.examples:
        typer.echo(f"  {line.source}:{line.line}: {line.fault}")
    if found.report.note is not None:
        typer.echo(f"Warning: {found.report.note}.", err=True)


def _print_json(data: Any) -> None:
    typer.echo(json.dumps(data, ensure_ascii=False, indent=2))
