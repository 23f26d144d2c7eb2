"""The commands `chainwright evaluate`."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from app.cli import console
from app.cli.evaluate.corrections import CorrectionsEvaluation, evaluate_corrections, read_pairs
from app.cli.evaluate.infills import InfillsEvaluation, evaluate_infills, read_cuts
from app.cli.evaluate.keywords import Evaluation, evaluate_keywords, read_sets
from app.cli.evaluate.paraphrases import ParaphrasesEvaluation, evaluate_paraphrases
from app.cli.evaluate.paraphrases import read_pairs as read_paraphrases
from app.cli.evaluate.retrieval import RetrievalEvaluation, evaluate_retrieval
from app.engine.engine import Engine
from app.indexes.opened import retrieval_of
from app.languages.choice import AskedLanguage
from app.tasks.paraphrases.schemas import Strength
from app.tasks.sampling.kernels import Annealing
from app.tasks.search.schemas import SearchRequest

SEARCH = Annealing()
"""The default sampler."""

evaluate_cli = typer.Typer(no_args_is_help=True, help="Measure on files of requests.")

Limit = Annotated[int | None, typer.Option(help="Only the first so many lines.", min=1)]
Chains = Annotated[int, typer.Option(help="Chains side by side.")]
Steps = Annotated[int, typer.Option(help="Steps of each chain.")]
Seed = Annotated[int, typer.Option(help="Seed of the first line; each line takes the next.")]
LanguageOption = Annotated[AskedLanguage, typer.Option(help="Language of the texts.")]
Output = Annotated[Path | None, typer.Option(help="Write each line's result here, as JSON Lines.")]

E = TypeVar("E")
L = TypeVar("L")


def _report(
    evaluation: E,
    read: Callable[[E], Iterable[L]],
    measure: Callable[[E, Sequence[L], Engine], Awaitable[dict[str, Any]]],
    model: str | None,
    as_json: bool,
) -> None:
    """Read the lines of an evaluation, run it, show its report."""

    async def work() -> dict[str, Any]:
        lines = list(read(evaluation))
        async with console.engine(console.settings(model=model)) as engine:
            return await measure(evaluation, lines, engine)

    _show(console.run(work()), as_json)


def _show(report: dict[str, Any], as_json: bool) -> None:
    """A report, a figure a line."""
    if as_json:
        Console(file=sys.stdout).print_json(data=report, ensure_ascii=False)
    else:
        for name, value in report.items():
            typer.echo(f"{name}: {value:.4g}" if isinstance(value, float) else f"{name}: {value}")


@evaluate_cli.command("keywords")
def evaluate_keywords_command(
    file: Annotated[Path, typer.Argument(help="JSON Lines with `keywords` or `concepts`, and maybe `reference(s)`.")],
    forms: Annotated[
        Path | None,
        typer.Option(help="JSON Lines: for each line of FILE a list, per keyword, of accepted forms."),
    ] = None,
    encoding: console.Encoding = None,
    limit: Limit = None,
    chains: Chains = SEARCH.chains,
    steps: Steps = SEARCH.steps,
    seed: Seed = 0,
    language: LanguageOption = "auto",
    output: Output = None,
    model: console.ModelOption = None,
    as_json: console.Json = False,
) -> None:
    """Coverage, fluency, length, distinctness and speed over a file of keyword sets."""
    evaluation = Evaluation(file, forms, limit, chains, steps, seed, language, output, encoding)

    _report(evaluation, read_sets, evaluate_keywords, model, as_json)


@evaluate_cli.command("infills")
def evaluate_infills_command(
    file: Annotated[Path, typer.Argument(help="JSON Lines with `reference` or `references`.")],
    encoding: console.Encoding = None,
    limit: Limit = None,
    kind: Annotated[Literal["annealing", "metropolis"], typer.Option(help="Search, or sample.")] = "annealing",
    chains: Chains = SEARCH.chains,
    steps: Steps = SEARCH.steps,
    beta: Annotated[float, typer.Option(help="Of samples; 1 is the model's own law.", min=0.1, max=10)] = 1.0,
    seed: Seed = 0,
    language: LanguageOption = "auto",
    output: Output = None,
    model: console.ModelOption = None,
    as_json: console.Json = False,
) -> None:
    """One to three blanks cut out of each sentence and filled, held against what stood there."""
    sampler = {"kind": kind, "chains": chains, "steps": steps, **({"beta": beta} if kind == "metropolis" else {})}
    evaluation = InfillsEvaluation(file, limit, sampler, seed, language, output, encoding)

    _report(evaluation, read_cuts, evaluate_infills, model, as_json)


@evaluate_cli.command("paraphrases")
def evaluate_paraphrases_command(
    file: Annotated[Path, typer.Argument(help="JSON Lines with `source` and `reference` or `references`.")],
    encoding: console.Encoding = None,
    limit: Limit = None,
    strength: Annotated[Strength, typer.Option(help="How far from the texts.")] = "medium",
    similarity: Annotated[
        Literal["auto", "encoder", "model"], typer.Option(help="What measures the meaning.")
    ] = "auto",
    tokenised: Annotated[
        bool,
        typer.Option("--tokenised", help="English in small letters, words and marks apart, none at the end."),
    ] = False,
    seed: Seed = 0,
    language: LanguageOption = "auto",
    output: Output = None,
    model: console.ModelOption = None,
    as_json: console.Json = False,
) -> None:
    """BLEU against people's paraphrases, self-BLEU, iBLEU and similarity, beside copying the texts."""
    options = {"strength": strength, "similarity": similarity, "seed": seed, "language": language}
    evaluation = ParaphrasesEvaluation(file, limit, options, tokenised, output, encoding)

    _report(evaluation, read_paraphrases, evaluate_paraphrases, model, as_json)


@evaluate_cli.command("corrections")
def evaluate_corrections_command(
    file: Annotated[Path, typer.Argument(help="JSON Lines with `source` and `target` or `targets`.")],
    encoding: console.Encoding = None,
    limit: Limit = None,
    confidence: Annotated[
        float | None, typer.Option(help="Least confidence of an edit; that of its kind if left out.", min=0, max=1)
    ] = None,
    language: LanguageOption = "auto",
    kinds: Annotated[list[str] | None, typer.Option("--kind", help="A kind of errors to look for.")] = None,
    tokenised: Annotated[bool, typer.Option("--tokenised", help="English whose words and marks stand apart.")] = False,
    output: Output = None,
    model: console.ModelOption = None,
    as_json: console.Json = False,
) -> None:
    """F of sentences, spans and characters, GLEU, false alarms, and how true the confidences are."""
    evaluation = CorrectionsEvaluation(file, limit, confidence, language, output, encoding, kinds, tokenised)

    _report(evaluation, read_pairs, evaluate_corrections, model, as_json)


@evaluate_cli.command("retrieval")
def evaluate_retrieval_command(
    file: Annotated[Path, typer.Argument(help='JSON Lines: {"question": "...", "answer": "S ||| P ||| O"}.')],
    index: Annotated[str, typer.Option(help="Name of an index of triples.")],
    skip: Annotated[int, typer.Option(help="Not the first so many questions.", min=0)] = 0,
    limit: Annotated[int | None, typer.Option(help="Only so many questions.", min=1)] = None,
    mode: Annotated[Literal["beam", "exact"], typer.Option(help="See search.")] = "beam",
    beams: Annotated[int, typer.Option(help="Width of the beam.")] = 3,
    score: Annotated[Literal["renormalised", "raw"], typer.Option(help="Which score ranks.")] = "renormalised",
    look_ahead: Annotated[float, typer.Option(help="Weight of look-ahead in nats; 0 for none.")] = 0.0,
    rerank: Annotated[bool, typer.Option(help="By the order that was fitted for the model.")] = True,
    abstain: Annotated[bool, typer.Option("--abstain", help="No answer where the model is not sure.")] = False,
    encoding: console.Encoding = None,
    model: console.ModelOption = None,
    as_json: console.Json = False,
) -> None:
    """EM, F1 and Score of S, P and O over a file of questions, and of a baseline, which learns nothing."""
    options = {
        "n": 1,
        "mode": mode,
        "beams": beams,
        "score": score,
        "look_ahead": look_ahead,
        "rerank": rerank,
        "abstain": abstain,
    }
    console.validated(SearchRequest, options, as_options=True)
    evaluation = RetrievalEvaluation(file, index, skip, limit, options, encoding)

    async def work() -> dict[str, Any]:
        async with console.engine(console.settings(retrieval_model=model), with_model=False) as engine:
            return await evaluate_retrieval(evaluation, retrieval_of(engine))

    report = console.run(work())
    if as_json:
        Console(file=sys.stdout).print_json(data=report, ensure_ascii=False)
        return
    table = Table("", "EM S", "EM P", "EM S and P", "EM O", "F1 S", "F1 P", "F1 O", "Score", box=None)
    for row, field in (("model", "model"), ("baseline", "floor")):
        marks = report[field]
        figures = [*marks["EM"].values(), *marks["F1"].values(), marks["Score"]]
        table.add_row(row, *(f"{figure:.1f}" for figure in figures))
    Console().print(table)
    typer.echo(
        f"{report['questions']} questions, {report['keys']:,} keys, {report['seconds_per_question']:.3f} s a question; "
        f"{report['name']}, adapter {report['adapter']}"
    )
