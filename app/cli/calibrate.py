"""`chainwright calibrate`: ranking and confidence fitted for the model that writes keys."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli import console
from app.cli.questions import open_triples, read_questions
from app.indexes.opened import Retrieval, retrieval_of
from app.web.codes import Code
from app.web.problems import invalid
from models.retrieval.examples import Example
from models.retrieval.loading import CHANNEL, CONFIDENCE, RANKING
from models.retrieval.ranking.logit import Ranking
from models.retrieval.search.options import SearchOptions
from models.retrieval.training.calibrate import calibrate, searches


async def run_calibration(
    examples: list[Example], index: str, folder: Path | None, beams: int, refused: float, retrieval: Retrieval
) -> dict[str, Any]:
    """Search, fit and write; a progress bar goes to standard error.

    Args:
        examples: questions that the model was not trained on.
        index: name of an index of triples that holds the answers.
        folder: gets ``ranking.json``, ``confidence.json`` and, if the adapter has example questions,
            ``channel.json``; None for the adapter's own.
        beams: width of the searches.
        refused: share of answerable questions that may go without an answer.
        retrieval: model and indexes.

    Raises:
        ProblemError: the index cannot be used, there is nowhere to write, or nothing can be fitted.
    """
    live = open_triples(index, retrieval)
    model = await retrieval.model()
    folder = folder or model.adapter
    if folder is None or not folder.is_dir():
        raise invalid("--folder", Code.NOT_FOUND, "there is no such folder", "give the folder of an adapter")
    options = SearchOptions(n=1, beams=beams)
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
                    refused,
                    lambda done: bar.update(task, completed=done),
                    model.questions,
                )
            )
        except ValueError as error:
            remedy = "give some hundred questions, most of them answerable"
            raise invalid("FILE", Code.TOO_FEW, str(error), remedy) from error
    found.ranking.save(folder / RANKING)
    if found.noisy_channel is None:
        (folder / CHANNEL).unlink(missing_ok=True)
    else:
        found.noisy_channel.save(folder / CHANNEL)
    found.confidence.save(folder / CONFIDENCE)
    figures = asdict(found)
    return {
        "folder": str(folder),
        "index": index,
        "questions": len(examples),
        "beams": beams,
        **{name: figures[name] for name in ("right", "reachable", "refused", "withheld")},
        "threshold": found.confidence.threshold,
        "ranking": _weights(found.ranking),
        "channel": None if found.noisy_channel is None else _weights(found.noisy_channel),
    }


def _weights(ranking: Ranking) -> dict[str, float]:
    return dict(zip(ranking.features, ranking.weights, strict=True))


def command(
    file: Annotated[
        Path, typer.Argument(help='JSON Lines, not trained on: {"question": "...", "answer": "S ||| P ||| O"}.')
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

    async def work() -> dict[str, Any]:
        async with console.engine(console.settings(retrieval_model=model), with_model=False) as engine:
            examples = read_questions(file, encoding)[skip:][:limit]
            return await run_calibration(examples, index, folder, beams, refused, retrieval_of(engine))

    report = console.run(work())
    if as_json:
        Console(file=sys.stdout).print_json(data=report, ensure_ascii=False)
        return
    for name in ("questions", "right", "reachable", "refused", "withheld", "threshold"):
        typer.echo(f"{name}: {report[name]:.4g}")
    typer.echo(f"written to {report['folder']}")
