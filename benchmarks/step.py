"""What one forward of a Markov step costs by its tokens: transformers' own against the packed one, which
runs what is between its matrix products by tensor operations, then compiled.

    python -m benchmarks.step [--output benchmarks/step.json]

Sentences of 12 new tokens each, without padding for either. The fixed part (reading the weights,
launching small operations) is why the sampler looks ahead.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from transformers import AutoModelForCausalLM

from app.settings.settings import Settings
from benchmarks.machine import machine, write
from models.language.default_weights import default_weights
from models.language.scoring.scorer import CausalScorer
from models.language.vocabulary import Vocabulary, after_space

LENGTH = 12
SENTENCES = (1, 2, 4, 8, 16)
ROUNDS = 7


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main(output: Path) -> None:
    """Measure both in turn, so that a slow spell of the machine meets both."""
    where = machine()
    folder = default_weights(Settings().cache_dir, lambda what, share: None)
    rows: list[dict[str, Any]] = []
    for dtype in (torch.float32, torch.bfloat16):
        body = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval().model
        scorer = CausalScorer(AutoModelForCausalLM.from_pretrained(folder, dtype=dtype).eval())
        pieces = torch.arange(1000, 13_800)
        mask = _mask(pieces)
        head = scorer.forward.output(mask)
        context = scorer.context([2], head)
        for count in SENTENCES:
            ids = torch.randint(1000, 13_000, (count, LENGTH))
            sentences = [(*map(int, row), 13_000) for row in ids]
            ways: dict[str, Callable[[], object]] = {
                "transformers": partial(body, input_ids=ids, use_cache=False),
                "operations": partial(_packed, scorer, False, context, head, sentences),
                "compiled": partial(_packed, scorer, True, context, head, sentences),
            }
            seconds: dict[str, list[float]] = {name: [] for name in ways}
            with torch.inference_mode():
                for _ in range(ROUNDS):
                    for name, work in ways.items():
                        seconds[name].append(timed(work))
            medians = {name: statistics.median(values[1:]) for name, values in seconds.items()}
            precision = str(dtype).removeprefix("torch.")
            rows.append({"precision": precision, "tokens": count * LENGTH, **medians})
    names = ("transformers", "operations", "compiled")
    table = Table("precision", "tokens", *(f"{name}, ms" for name in names))
    for row in rows:
        table.add_row(row["precision"], str(row["tokens"]), *(f"{1e3 * row[name]:.0f}" for name in names))
    Console().print(table)
    write(output, {"machine": where, "rows": rows})


def _packed(
    scorer: CausalScorer, compiled: bool, context: Any, head: Any, sentences: Sequence[tuple[int, ...]]
) -> None:
    """Head and scores included, which transformers' time is without."""
    scorer.forward._body.compiles = compiled  # type: ignore[attr-defined]
    scorer.score(context, head, sentences, [None] * len(sentences))


def _mask(ids: torch.Tensor) -> Vocabulary:
    pieces = [f" w{k}" for k in range(int(ids.max()) + 1)]
    return Vocabulary("step", after_space, pieces, ids.numpy(), len(ids) - 8, 8, lambda text: [])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("step.json"))
    main(parser.parse_args().output)
