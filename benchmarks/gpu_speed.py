"""Speed and memory of batches as a sampler sends them, against the bare model on as many tokens."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch

from benchmarks.forward import Chains, bare_speed, build, seconds
from models.language.scoring.work import Proposals
from samplers.language import ProposalQuery

EDIT_TOKENS = 7
"""Mean number of tokens read for an edit anywhere in a sentence of 14."""

CPU_SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
}


@dataclass(slots=True)
class Budget:
    """Time for a benchmark.

    Attributes:
        seconds: in all.
        started: by the performance counter.
    """

    seconds: float
    started: float = field(default_factory=time.perf_counter)

    def allows(self, needed: float) -> bool:
        """Whether so many seconds are left."""
        return self.seconds - (time.perf_counter() - self.started) >= needed


@dataclass(slots=True)
class Cells:
    """Cells of a table, measured while time and memory last.

    Attributes:
        budget: of the benchmark.
        device: of the models.
        rows: of the measured cells, by their names.
        left_out: names of the others, and why.
    """

    budget: Budget
    device: torch.device
    rows: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def measure(
        self, names: Mapping[str, Any], needed: float, cell: Callable[[], dict[str, Any]], weights: int
    ) -> float:
        """Measure a cell, and its greatest memory over that of the weights.

        Args:
            names: of the cell.
            needed: seconds that it may take.
            cell: measures it.
            weights: bytes.

        Returns:
            Seconds that it took; 0 if it was left out for want of time.
        """
        if not self.budget.allows(needed):
            self.leave_out(names, "no time")
            return 0.0
        started = time.perf_counter()
        free(self.device)
        try:
            self.rows.append({**names, **cell(), "bytes_over_weights": _peak(self.device, weights)})
        except RuntimeError as error:  # no memory, or no kernel for the precision
            self.leave_out(names, error)
        return time.perf_counter() - started

    def leave_out(self, names: Mapping[str, Any], why: object) -> None:
        """Name a cell that was not measured."""
        self.left_out.append(f"{' '.join(map(str, names.values()))}: {str(why).splitlines()[0]}")


def free(device: torch.device) -> None:
    """Give unused memory back to the device, and measure its greatest use from here on."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()


def _peak(device: torch.device, weights: int) -> int | None:
    return torch.cuda.max_memory_allocated() - weights if device.type == "cuda" else None


def measure(
    shapes: Mapping[str, Mapping[str, Any]],
    counts: Sequence[int],
    device: torch.device,
    dtype: torch.dtype,
    budget: Budget,
    least: float,
) -> Cells:
    """Every shape at every number of chains: the bare model, then the engine.

    Args:
        shapes: of the models, in the order of their sizes.
        counts: numbers of chains, rising.
        device, dtype: of the models.
        budget: left for all.
        least: seconds of each measurement.
    """
    cells = Cells(budget, device)
    built = 0.0
    for shape, sizes in shapes.items():
        # A shape has about five times the weights of the one before it.
        if not budget.allows(5 * built):
            cells.leave_out({"shape": shape}, "no time")
            continue
        free(device)
        try:
            built = _shape(cells, shape, sizes, counts, dtype, least)
        except RuntimeError as error:
            cells.leave_out({"shape": shape}, error)
    return cells


def _shape(
    cells: Cells, shape: str, sizes: Mapping[str, Any], counts: Sequence[int], dtype: torch.dtype, least: float
) -> float:
    """Measure the cells of a shape; seconds to build the model."""
    started = time.perf_counter()
    model = build(sizes, cells.device, dtype)
    built = time.perf_counter() - started
    weights = sum(parameter.nbytes for parameter in model.parameters())

    def each(name: str, cell: Callable[[int], dict[str, Any]]) -> None:
        took, before = 0.0, counts[0]
        for count in counts:
            # As long as the measurements are to take at least, or as three rounds do.
            needed = 3 * least + took * count / before
            names = {"shape": shape, "model": name, "chains": count}
            if spent := cells.measure(names, needed, partial(cell, count), weights):
                took, before = spent, count

    body = model.get_decoder()
    each("bare", lambda count: {"tokens_per_second": bare_speed(body, count, EDIT_TOKENS, least)})
    make = Chains.of(model)

    def engine(count: int) -> dict[str, Any]:
        chains = make(count)
        fed, speed = chains.speed(least)
        return {"tokens": fed, "tokens_per_second": speed, "proposals_per_second": proposal_speed(chains, least)}

    each("engine", engine)
    return built


def proposal_speed(chains: Chains, least: float) -> float:
    """Proposals a second, one for each chain."""
    rng = np.random.default_rng(0)
    queries = [
        ProposalQuery(int(rng.integers(len(one.tokens))), 0.01, uniform=float(rng.random())) for one in chains.bases
    ]
    work = Proposals(chains.engine.output, chains.bases, queries)
    return len(queries) / seconds(lambda: work.run([work]), chains.engine.scorer.forward.device, least)
