"""The engine on a GPU: scores, law, waits of the host, speed and memory.

    python -m benchmarks.gpu [--minutes 8] [--output benchmarks/gpu.json]

Random weights, so nothing is downloaded; needs torch, transformers and NumPy alone. Without a GPU the same
runs on the CPU at a small size, and is written only where ``--output`` says. Exits with 1 if a claim fails.
"""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from benchmarks import gpu_law, gpu_scores, gpu_speed, gpu_synchronisations
from benchmarks.forward import SHAPES
from benchmarks.gpu_speed import Budget
from benchmarks.machine import machine, write

PRECISIONS = (torch.float32, torch.bfloat16)


@dataclass
class Report:
    """What was measured, written after each section, so that none is lost by a later one.

    Attributes:
        output: file, or None.
        sections: by name; a section that broke has its ``error``.
        claims: whether each holds, by its words.
    """

    output: Path | None
    machine: dict[str, Any]
    sections: dict[str, Any] = field(default_factory=dict)
    claims: dict[str, bool] = field(default_factory=dict)

    def add(self, name: str, section: Callable[[], Any], claim: str = "", holds: Callable[[Any], bool] = bool) -> None:
        """Run a section, and judge its claim if it makes one."""
        try:
            self.sections[name] = found = section()
            held = holds(found)
        except Exception as error:
            traceback.print_exc()
            self.sections[name] = {"error": f"{type(error).__name__}: {error}"}
            claim, held = claim or f"{name} is measured", False
        if claim:
            self.claims[claim] = held
            print(f"{'holds' if held else 'FAILS'}: {claim}")
        if self.output is not None:
            write(self.output, {key: value for key, value in asdict(self).items() if key != "output"})


def measure(device: torch.device, seconds: float, output: Path | None = None) -> Report:
    """All sections; at a small size if the device is no GPU."""
    budget = Budget(seconds)
    cuda = device.type == "cuda"
    # TF32 keeps ten bits of a factor: float32 is to mean float32.
    torch.set_float32_matmul_precision("highest")
    about = machine() | {"device": torch.cuda.get_device_name() if cuda else "cpu", "cuda": torch.version.cuda}
    report = Report(output, about)
    print(f"on {about['device']}")

    report.add(
        "scores",
        lambda: gpu_scores.measure(device),
        f"scores of every family: float32 within {gpu_scores.TOLERANCE} nats a token of the CPU's, "
        f"bfloat16 with at most {gpu_scores.ROUNDING} times the bare model's mean error",
        lambda rows: all(row["holds"] for row in rows),
    )
    waits = "the host waits for the device as often for many chains as for few"
    report.add(
        "synchronisations_by_operation",
        lambda: gpu_synchronisations.pretended((4, 16, 160)),
        f"{waits}, by the operations",
        gpu_synchronisations.constant,
    )
    if cuda:
        report.add(
            "synchronisations",
            lambda: gpu_synchronisations.on_card((4, 16, 256, 1024)),
            f"{waits}, by the card's warnings",
            gpu_synchronisations.constant,
        )
    report.add(
        "law",
        lambda: _laws(device, budget),
        f"chains in float32 have their law: Pearson's statistic within {gpu_law.DEVIATION} standard deviations",
        lambda rows: bool(rows) and all(row["holds"] is not False for row in rows),
    )
    report.add("speed", lambda: _speed(device, budget))
    return report


def _laws(device: torch.device, budget: Budget) -> list[dict[str, Any]]:
    """Laws of some families, begun within the first third of the time: the speed needs the rest."""
    if device.type != "cuda":
        return [gpu_law.measure("gemma3-window", device, torch.float32, chains=300, steps=30)]
    cases = [(family, dtype) for dtype in PRECISIONS for family in ("gemma3-window", "llama", "gpt2")]
    return [
        gpu_law.measure(family, device, dtype, chains=1000, steps=30)
        for family, dtype in cases
        if budget.allows(2 / 3 * budget.seconds)
    ]


def _speed(device: torch.device, budget: Budget) -> dict[str, Any]:
    if device.type == "cuda":
        cells = gpu_speed.measure(SHAPES, (16, 64, 256, 1024), device, torch.bfloat16, budget, least=1.0)
    else:
        tiny = {"tiny": gpu_speed.CPU_SHAPE}
        cells = gpu_speed.measure(tiny, (4, 16), device, torch.float32, budget, least=0.05)
    for row in cells.rows:
        memory = row["bytes_over_weights"]
        more = "" if memory is None else f", {memory / 1e9:.2f} GB over the weights"
        print(f"{row['shape']} {row['model']}, {row['chains']} chains: {row['tokens_per_second']:,.0f} tokens/s{more}")
    for name in cells.left_out:
        print(f"left out: {name}")
    return {"rows": cells.rows, "left_out": cells.left_out}


def main(minutes: float, output: Path | None) -> int:
    """Measure, print, write; the number of claims that fail."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if output is None and device.type == "cuda":
        output = Path(__file__).with_suffix(".json")
    return sum(not held for held in measure(device, 60 * minutes, output).claims.values())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--output", type=Path)
    arguments = parser.parse_args()
    sys.exit(min(1, main(arguments.minutes, arguments.output)))
