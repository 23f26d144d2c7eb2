"""What one forward costs by the number of tokens fed: plain layers against the packed ones.

    python -m benchmarks.step [--output benchmarks/step.json]

The fixed part (reading the weights, launching some thousand kernels) is why the sampler looks ahead.
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from transformers import AutoModelForCausalLM

from app.settings import Settings
from benchmarks.machine import machine, write
from models.language.default_weights import default_weights
from models.language.fast_modules import quicken

TOKENS = (8, 16, 32, 64, 96, 128)
ROUNDS = 7


def timed(body: Any, ids: torch.Tensor) -> float:
    """Seconds of one forward."""
    started = time.perf_counter()
    body(input_ids=ids, use_cache=False)
    return time.perf_counter() - started


def main(output: Path) -> None:
    """Measure both in turn, so that a slow spell of the machine meets both."""
    where = machine()
    folder = default_weights(Settings().cache_dir, lambda what, share: None)
    plain, packed = (AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval().model for _ in range(2))
    quicken(packed)
    rows = []
    with torch.inference_mode():
        for tokens in TOKENS:
            ids = torch.randint(1000, 20_000, (1, tokens))
            seconds: dict[str, list[float]] = {"plain": [], "packed": []}
            for _ in range(ROUNDS):
                for name, body in (("plain", plain), ("packed", packed)):
                    seconds[name].append(timed(body, ids))
            medians = {name: statistics.median(values) for name, values in seconds.items()}
            rows.append({"tokens": tokens, **medians, "ratio": medians["plain"] / medians["packed"]})
    table = Table("tokens", "plain ms", "packed ms", "ratio")
    for row in rows:
        table.add_row(str(row["tokens"]), *(f"{1e3 * row[k]:.0f}" for k in ("plain", "packed")), f"{row['ratio']:.2f}")
    Console().print(table)
    write(output, {"machine": where, "rows": rows})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("step.json"))
    main(parser.parse_args().output)
