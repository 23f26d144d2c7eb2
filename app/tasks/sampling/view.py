"""Sentences and chains on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from app.tasks.sampling.schemas import SamplingAnswer, Sentence, StepReport


def answer_table(sentences: Sequence[Sentence], answer: SamplingAnswer) -> Group:
    """The sentences, and a line on how the run went."""
    table = Table("sentence", "log p", "log p / token", "chain", "step")
    table.columns[0].overflow = "fold"
    for column in table.columns[1:]:
        column.justify = "right"
    for sentence in sentences:
        table.add_row(
            Text(sentence.text),
            f"{sentence.log_prob:.2f}",
            f"{sentence.log_prob_per_token:.3f}",
            str(sentence.chain),
            str(sentence.step),
        )
    run = answer.diagnostics
    accepted = ", ".join(f"{name} {move.acceptance:.0%}" for name, move in run.acceptance.items())
    return Group(
        table,
        Text(
            f"{run.steps} steps in {run.seconds:.1f} s, {run.states_visited} states visited, "
            f"{answer.usage.lm_tokens} LM tokens, seed {answer.seed}"
            + (f"\naccepted: {accepted}" if accepted else "")
            + f"\n{run.summary}",
            style="dim",
        ),
    )


def chains_table(report: StepReport) -> Group:
    """A line for each chain, and how far the run is."""
    table = Table("chain", "sentence", "log p / token", expand=True)
    table.columns[1].overflow = "fold"
    table.columns[2].justify = "right"
    for number, chain in enumerate(report.chains):
        style = "bold" if chain.moved else ""
        table.add_row(str(number), Text(chain.text, style=style), f"{chain.log_prob_per_token:.3f}")
    bar = ProgressBar(total=max(report.steps, 1), completed=report.step or int(report.steps == 0))
    return Group(table, bar, Text(f"step {report.step} of {report.steps}", style="dim"))
