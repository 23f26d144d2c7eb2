"""Fits ranking and confidence for the model that writes keys, from the command line."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli import console
from app.indexes.opened import Retrieval
from app.indexes.problems import told
from app.web.codes import Code
from app.web.problems import invalid
from models.retrieval.examples import ExampleError, read_examples
from models.retrieval.loading import CHANNEL, CONFIDENCE, RANKING
from models.retrieval.ranking.logit import Ranking
from models.retrieval.search.options import SearchOptions
from models.retrieval.training.calibrate import calibrate, searches


@dataclass(frozen=True, slots=True)
class CalibrationRun:
    """What to run.

    Attributes:
        file: JSON Lines of ``{"question": ..., "answer": "subject ||| predicate ||| object"}``, not trained on.
        index: name of an index of triples that holds the answers.
        folder: where ``ranking.json``, ``confidence.json`` and, if the adapter has example questions,
            ``channel.json`` go; None for the adapter's own.
        skip: questions left out at the beginning.
        limit: only so many questions after these.
        beams: width of the searches.
        refused: share of answerable questions that may go without an answer.
        encoding: of the file; None for UTF-8.
    """

    file: Path
    index: str
    folder: Path | None
    skip: int
    limit: int | None
    beams: int
    refused: float
    encoding: str | None = None


async def run_calibration(run: CalibrationRun, retrieval: Retrieval) -> dict[str, Any]:
    """Search, fit and write; a progress bar goes to standard error.

    Raises:
        ProblemError: the file or the index cannot be used, there is nowhere to write, or nothing can be fitted.
    """
    try:
        examples = read_examples(run.file, run.encoding)[run.skip :][: run.limit]
    except ExampleError as error:
        raise invalid("FILE", Code.UNUSABLE_FILE, str(error), error.remedy) from error
    with told(retrieval.library.root, "--index"):
        live = retrieval.library.open(run.index)
    if live.key_format.fields == 1:
        raise invalid(
            "--index", Code.WRONG_TYPE, f"the keys of {run.index!r} are no triples", "name an index of triples"
        )
    model = await retrieval.model()
    folder = run.folder or model.adapter
    if folder is None or not folder.is_dir():
        raise invalid("--folder", Code.NOT_FOUND, "there is no such folder", "give the folder of an adapter")
    options = SearchOptions(n=1, beams=run.beams)
    errors = Console(stderr=True)
    with Progress(console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("Calibrating", total=searches(examples))
        try:
            found = await retrieval.batcher.call(
                lambda: calibrate(
                    model.model,
                    live.view,
                    examples,
                    options,
                    run.refused,
                    lambda done: bar.update(task, completed=done),
                    model.questions,
                )
            )
        except ValueError as error:
            raise invalid(
                "FILE", Code.TOO_FEW, str(error), "give some hundred questions, most of them answerable"
            ) from error
    found.ranking.save(folder / RANKING)
    if found.noisy_channel is None:
        (folder / CHANNEL).unlink(missing_ok=True)
    else:
        found.noisy_channel.save(folder / CHANNEL)
    found.confidence.save(folder / CONFIDENCE)
    figures = asdict(found)
    weights = _weights(found.ranking)
    return {
        "folder": str(folder),
        "index": run.index,
        "questions": len(examples),
        "beams": run.beams,
        **{name: figures[name] for name in ("right", "reachable", "refused", "withheld")},
        "threshold": found.confidence.threshold,
        "ranking": weights,
        "channel": None if found.noisy_channel is None else _weights(found.noisy_channel),
    }


def _weights(ranking: Ranking) -> dict[str, float]:
    return dict(zip(ranking.features, ranking.weights, strict=True))


def command(
    file: Annotated[
        Path,
        typer.Argument(help='JSON Lines, not trained on: {"question": "...", "answer": "S ||| P ||| O"}.'),
    ],
    index: Annotated[str, typer.Option(help="Name of an index of triples that holds the answers.")],
    folder: Annotated[Path | None, typer.Option(help="Where the result goes; the adapter's own unless given.")] = None,
    skip: Annotated[int, typer.Option(help="Not the first so many questions.", min=0)] = 0,
    limit: Annotated[int | None, typer.Option(help="Only so many questions.", min=1)] = None,
    beams: Annotated[int, typer.Option(help="Width of the beam of later searches.", min=1)] = 3,
    refused: Annotated[
        float, typer.Option(help="Share of answerable questions that may go without an answer.", min=0, max=1)
    ] = 0.05,
    encoding: console.Encoding = None,
    model: Annotated[str | None, typer.Option(help="Model that writes keys: default, a folder, or a hub id.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Fit the order of answers, and when to give none, on questions with known answers."""
    run = CalibrationRun(file, index, folder, skip, limit, beams, refused, encoding)

    async def work() -> dict[str, Any]:
        async with console.retrieval(console.settings(retrieval_model=model)) as retrieval:
            return await run_calibration(run, retrieval)

    report = console.run(work())
    if as_json:
        Console(file=sys.stdout).print_json(data=report, ensure_ascii=False)
        return
    for name in ("questions", "right", "reachable", "refused", "withheld", "threshold"):
        typer.echo(f"{name}: {report[name]:.4g}")
    typer.echo(f"written to {report['folder']}")
