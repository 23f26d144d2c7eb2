"""An evaluation line by line, and the model that it is of."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import track

from app.cli.evaluate.lines import sink
from app.engine.engine import Engine

T = TypeVar("T")


async def evaluate_each(
    items: Sequence[T], one: Callable[[T, int], Awaitable[dict[str, Any]]], output: Path | None
) -> list[dict[str, Any]]:
    """The result of each item, written as it comes; a progress bar goes to standard error.

    Args:
        items: what is evaluated.
        one: the result of an item, given its place.
        output: JSON Lines with the results.

    Raises:
        ProblemError: the output cannot be written.
    """
    results: list[dict[str, Any]] = []
    errors = Console(stderr=True)
    bar = track(items, "Evaluating", console=errors, disable=not errors.is_terminal)
    with sink(output) as file:
        for place, item in enumerate(bar):
            results.append(await one(item, place))
            if file:
                print(json.dumps(results[-1], ensure_ascii=False), file=file, flush=True)
    return results


def parted(lines: Sequence[dict[str, Any]]) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The results without those that failed, and what a report says of the latter."""
    failed = [line for line in lines if "failed" in line]
    failures = [{"line": line["line"], "reason": line["failed"]} for line in failed]
    return [line for line in lines if "failed" not in line], {"failed": len(failed), "failures": failures}


def model_of(engine: Engine) -> dict[str, Any]:
    """What a report says of the model."""
    model = engine.model
    return {
        "model": model.name,
        "fingerprint": model.fingerprint,
        "precision": model.precision,
        "device": model.device,
    }
