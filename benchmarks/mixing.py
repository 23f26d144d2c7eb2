"""How fast chains mix, and how far annealing comes, by the tokens that the model reads: samplers by turns.

    python -m benchmarks.mixing [--tokens N] [--annealing-tokens N] [--others OLD.json] [--output FILE]

One process, one model; each sampler goes on for a few hundred tokens in its turn. For ``metropolis`` with several
mixes of moves and ``particle_gibbs``, at beta 1: LM tokens for each token changed by accepted moves, and effective
sample size (ESS) and R-hat of the log-density, the ESS for each 1,000 LM tokens and each second of processor time. For
``annealing`` with the mixes, and steps for equally many LM tokens: the greatest log-density and log-prob per token of
any chain, over the tokens read so far. ``--others`` adds the chains of another version
(``benchmarks/mixing_337c213.py``), judged by the same code.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import AsyncGenerator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from app.languages.registry import masks
from app.settings.settings import Settings
from app.tasks.keywords.problem import make_problem
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.sampling.kernels import SamplerOptions
from app.tasks.sampling.prepare import kernel_of
from benchmarks.machine import machine, write
from models.language.loading import load
from models.language.scoring.batcher import Batcher
from models.language.scoring.model import LoadedModel
from models.language.scoring.session import Session
from samplers.diagnostics.ess import ess_bulk
from samplers.diagnostics.rhat import rhat
from samplers.first_states import construct
from samplers.run import Step, generators, run
from samplers.target import Target

SETS: list[dict[str, Any]] = [
    {"keywords": ["公园", "散步"], "length": {"max": 20}},
    {"keywords": ["经济", "发展", "城市"], "length": {"max": 24}},
    {"keywords": ["river", "bridge"], "length": {"max": 12}},
    {"keywords": ["孩子", "学校"], "length": {"max": 16}},
    {"keywords": ["dog", "park"], "length": {"max": 10}},
]
MIXES: dict[str, dict[str, float]] = {
    "default": {},
    "redraw": {"replace": 0.2, "insert": 0.1, "delete": 0.1, "redraw": 0.5},
    "redraw_span": {"redraw_span": 0.3},
    "shift": {"shift": 0.1},
}
CHAINS, TURN_TOKENS, MOST_STEPS, SEEDS = 8, 400, 5_000, (7,)
SAMPLERS: dict[str, dict[str, Any]] = {
    **{name: {"kind": "metropolis", "moves": moves} for name, moves in MIXES.items()},
    "particle_gibbs": {"kind": "particle_gibbs", "chains": 64, "renew_every": 12},
}
BURN_IN = 0.1
"""Share of the steps that are left out of the ESS."""


@dataclass(eq=False)
class Run:
    """A run of one sampler, a turn at a time.

    Attributes:
        target: the law.
        session: its usage is the price.
        steps: the driver.
        budget: LM tokens after which it ends.
        series: log-density at beta 1 by chain and step.
        seconds: processor time.
        changed: tokens changed by accepted moves.
        reached: LM tokens, greatest log-density and log-prob per token, after each turn.
    """

    target: Target
    session: Session
    steps: AsyncGenerator[Step]
    budget: int
    series: list[list[float]] = field(default_factory=list)
    seconds: float = 0.0
    changed: int = 0
    accepted: int = 0
    reached: list[tuple[int, float, float]] = field(default_factory=list)
    done: bool = False
    _stand: list[tuple[int, ...]] = field(default_factory=list)

    async def turn(self) -> None:
        """Go on for a turn."""
        began, stop = time.process_time(), self.session.usage.lm_tokens + TURN_TOKENS
        while not self.done and self.session.usage.lm_tokens < min(stop, self.budget):
            try:
                self._add(await anext(self.steps))
            except StopAsyncIteration:
                self.done = True
        self.done = self.done or self.session.usage.lm_tokens >= self.budget
        self.seconds += time.process_time() - began

    def _add(self, step: Step) -> None:
        best, best_mean = self.reached[-1][1:] if self.reached else (-np.inf, -np.inf)
        self.series = self.series or [[] for _ in step.chains]
        for i, chain in enumerate(step.chains):
            density = self.target.log_density(
                chain.state, chain.position.scored.log_probs, chain.position.log_weight, 1.0
            )
            best, best_mean = max(best, density), max(best_mean, chain.log_prob / len(chain.state))
            values = self.series[i]
            # Only the last step of an advance can have moved the chain.
            values += [values[-1]] * max(0, chain.steps - len(values)) if values else []
            if chain.steps == len(values):
                values.append(density)
            if chain.moved and self._stand:
                self.accepted += 1
                self.changed += _edits(self._stand[i], chain.state.tokens)
        self._stand = [chain.state.tokens for chain in step.chains]
        self.reached.append((self.session.usage.lm_tokens, best, best_mean))

    def report(self) -> dict[str, Any]:
        """The figures."""
        return figures(self.series, self.session.usage.lm_tokens, self.seconds, self.accepted, self.changed)


def figures(
    series: Sequence[Sequence[float]], tokens: int, seconds: float, accepted: int, changed: int
) -> dict[str, Any]:
    """How the chains of a run mixed, by its log-densities and its price; ``steps`` are those of each chain."""
    steps = min(map(len, series))
    kept = np.array([values[int(BURN_IN * steps) : steps] for values in series])
    ess = ess_bulk(kept) / (1 - BURN_IN)
    return {
        "steps": steps - 1,
        "lm_tokens": tokens,
        "cpu_seconds": seconds,
        "accepted": accepted,
        "changed_tokens": changed,
        "lm_tokens_per_changed_token": tokens / max(1, changed),
        "rhat": rhat(kept),
        "ess": ess,
        "ess_per_1000_lm_tokens": 1000 * ess / tokens,
        "ess_per_cpu_second": ess / seconds,
        "mean_log_density": float(kept.mean()),
    }


def _edits(old: Sequence[int], new: Sequence[int]) -> int:
    """Levenshtein distance."""
    row = list(range(len(new) + 1))
    for i, token in enumerate(old):
        before, row = row, [i + 1]
        for j, other in enumerate(new):
            row.append(min(before[j] + (token != other), before[j + 1] + 1, row[j] + 1))
    return row[-1]


async def start(
    model: LoadedModel, batcher: Batcher, body: dict[str, Any], sampler: dict[str, Any], budget: int, seed: int = 7
) -> Run:
    """A run at its first states, whose price is left out."""
    request = SentencesRequest.model_validate(body | {"sampler": {"chains": CHAINS, "steps": MOST_STEPS} | sampler})
    problem, options = make_problem(request, model, Settings().limits), request.sampler
    assert isinstance(options, SamplerOptions)
    session = await Session.open(model, problem.vocabulary.name, problem.language.context(None), batcher)
    rngs = generators(seed, options.chains)
    states = await construct(problem.source, problem.target, session, rngs, drafts=options.drafts_per_chain)
    session.usage.lm_tokens = 0
    steps = run(kernel_of(problem, options), session, states, rngs, options.steps)
    return Run(problem.target, session, steps, budget)


async def by_turns(runs: Sequence[Run]) -> None:
    """All to their ends."""
    while left := [one for one in runs if not one.done]:
        for one in left:
            await one.turn()


def others(file: Path) -> list[dict[str, Any]]:
    """The chains of another version, as rows."""
    rows = []
    for each in json.loads(file.read_text("utf-8")):
        changed = sum(_edits(old, new) for old, new in each["accepted"])
        found = figures(each["series"], each["lm_tokens"], each["cpu_seconds"], len(each["accepted"]), changed)
        rows.append({"keywords": each["keywords"], "sampler": file.stem, "sampling": found, "annealing": []})
    return rows


async def main(
    tokens: int,
    annealing_tokens: int,
    samplers: Sequence[str],
    sets: Sequence[dict[str, Any]],
    before: Sequence[Path],
    output: Path,
) -> None:
    """Measure, print, write."""
    where, settings = machine(), Settings()
    model = load("default", cache=settings.cache_dir, progress=lambda what, share: None, masks=masks(settings.rules()))
    batcher = Batcher(ThreadPoolExecutor(1))
    rows: list[dict[str, Any]] = []
    for body in sets:
        runs = {name: await start(model, batcher, body, SAMPLERS[name], tokens) for name in samplers}
        await by_turns(list(runs.values()))
        mixed = {name: one.report() for name, one in runs.items()}
        mixes = [name for name in samplers if name in MIXES]
        searched: dict[str, list[dict[str, Any]]] = {name: [] for name in samplers}
        for seed in SEEDS if annealing_tokens else ():
            # Price of a step at beta 1 foretells how many steps the tokens buy.
            steps = {name: round(annealing_tokens * row["steps"] / row["lm_tokens"]) for name, row in mixed.items()}
            hot = {name: {"kind": "annealing", "moves": MIXES[name], "steps": max(1, steps[name])} for name in mixes}
            searches = {
                name: await start(model, batcher, body, sampler, 10 * annealing_tokens, seed)
                for name, sampler in hot.items()
            }
            await by_turns(list(searches.values()))
            for name, one in searches.items():
                read, density, mean = one.reached[-1]
                half = next(best for at, best, _ in one.reached if at >= read / 2)
                searched[name].append(
                    {
                        "steps": steps[name],
                        "lm_tokens": read,
                        "cpu_seconds": one.seconds,
                        "best_log_density_at_half": half,
                        "best_log_density": density,
                        "best_log_prob_per_token": mean,
                        "mean_last_log_density": float(np.mean([values[-1] for values in one.series])),
                    }
                )
        rows += [{**body, "sampler": name, "sampling": mixed[name], "annealing": searched[name]} for name in samplers]
        print(body["keywords"])
    rows += [row for file in before for row in others(file)]
    names = list(dict.fromkeys(row["sampler"] for row in rows))
    totals = {name: _total([row for row in rows if row["sampler"] == name]) for name in names}
    columns = list(dict.fromkeys(column for total in totals.values() for column in total))
    table = Table("sampler", *columns)
    for name, total in totals.items():
        table.add_row(name, *(f"{total[column]:.3g}" if column in total else "" for column in columns))
    Console(width=160).print(table)
    write(
        output,
        {"machine": where, "model": model.name, "samplers": SAMPLERS, "totals": totals, "rows": rows},
    )


def _total(rows: Sequence[dict[str, Any]]) -> dict[str, float]:
    """Figures of a sampler over all sets of keywords."""
    plain = [row["sampling"] for row in rows]
    searches = [search for row in rows for search in row["annealing"]]
    summed = {key: sum(row[key] for row in plain) for key in ("lm_tokens", "changed_tokens", "ess", "cpu_seconds")}
    total = {
        "lm_tokens_per_changed_token": summed["lm_tokens"] / max(1, summed["changed_tokens"]),
        "ess_per_1000_lm_tokens": 1000 * summed["ess"] / summed["lm_tokens"],
        "ess_per_cpu_second": summed["ess"] / summed["cpu_seconds"],
        "greatest_rhat": max(row["rhat"] for row in plain),
    }
    for key in (
        ("lm_tokens", "best_log_density", "mean_last_log_density", "best_log_prob_per_token") if searches else ()
    ):
        total[f"annealing_{key}"] = float(np.mean([one[key] for one in searches]))
    return total


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tokens", type=int, default=12_000, help="LM tokens of each run at beta 1")
    parser.add_argument("--annealing-tokens", type=int, default=4_000, help="LM tokens of each annealing run")
    parser.add_argument("--samplers", nargs="*", default=list(SAMPLERS), choices=list(SAMPLERS))
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("mixing.json"))
    parser.add_argument("--sets", type=int, default=len(SETS), help="how many of the sets of keywords")
    parser.add_argument("--others", type=Path, nargs="*", default=[], help="chains of other versions")
    parser.add_argument("--write-sets", type=Path, help="write the sets of keywords there, for another version")
    arguments = parser.parse_args()
    if arguments.write_sets:
        arguments.write_sets.write_text(json.dumps(SETS[: arguments.sets], ensure_ascii=False), "utf-8")
    else:
        asyncio.run(
            main(
                arguments.tokens,
                arguments.annealing_tokens,
                arguments.samplers,
                SETS[: arguments.sets],
                arguments.others,
                arguments.output,
            )
        )
