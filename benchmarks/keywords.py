"""Keywords to sentences: our sampler, CGMH's way of working, and rejection, on one model in one run.

    python -m benchmarks.keywords [--sets N] [--output benchmarks/keywords.json]

Prints steps a second, LM tokens a step, and the time each needs to reach the best log-prob per
token that CGMH's way has after its 100 steps.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
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
from benchmarks.cgmh import cgmh
from benchmarks.machine import machine, write
from benchmarks.rejection import rejection
from models.language.loading import load
from models.language.scoring.batcher import Batcher
from models.language.scoring.model import LoadedModel
from models.language.scoring.session import Session
from samplers.first_states import KeywordBlocks, construct
from samplers.run import generators, run
from samplers.state import State
from samplers.trace import Trace, rank

SETS = [["今天", "公园", "散步"], ["孩子", "学校", "老师"], ["经济", "发展", "城市"]]
CHAINS, STEPS, CGMH_STEPS, CAP = 16, 200, 100, 256


async def ours(model: LoadedModel, keywords: list[str], batcher: Batcher, goal: float) -> dict[str, Any]:
    """One run of the service's own problem; ``goal`` is the log-prob per token to reach."""
    request = SentencesRequest.model_validate(
        {"keywords": keywords, "sampler": {"kind": "annealing", "chains": CHAINS, "steps": STEPS}, "seed": 7}
    )
    problem, sampler = make_problem(request, model, Settings().limits), request.sampler
    assert isinstance(sampler, SamplerOptions)
    started = time.perf_counter()
    session = await Session.open(model, problem.vocabulary.name, problem.language.context(None), batcher)
    rngs = generators(7, CHAINS)
    states = await construct(problem.source, problem.target, session, rngs, drafts=sampler.drafts_per_chain)
    constructed = time.perf_counter() - started
    trace = Trace()
    reached = None
    async for step in run(kernel_of(problem, sampler), session, states, rngs, STEPS):
        trace.add(step)
        if reached is None and rank(list(trace.visits.values()))[0].log_prob_per_token >= goal:
            reached = time.perf_counter() - started
    seconds = time.perf_counter() - started
    best = rank(list(trace.visits.values()))[0]
    return {
        "seconds": seconds,
        "seconds_to_first_states": constructed,
        "chain_steps_per_second": CHAINS * STEPS / seconds,
        "lm_tokens_per_chain_step": session.usage.lm_tokens / (CHAINS * STEPS),
        "best_log_prob_per_token": best.log_prob_per_token,
        "best": problem.vocabulary.decode(best.state.tokens),
        "seconds_to_goal": reached,
    }


async def theirs(model: LoadedModel, keywords: list[str], batcher: Batcher) -> dict[str, Any]:
    """CGMH's way under the same target, from the bare keywords as CGMH starts."""
    request = SentencesRequest.model_validate({"keywords": keywords, "seed": 7})
    problem = make_problem(request, model, Settings().limits)
    session = await Session.open(model, problem.vocabulary.name, problem.language.context(None), batcher, remember=0)
    assert isinstance(problem.source, KeywordBlocks)
    state = State.assemble([(i, forms[0]) for i, forms in enumerate(problem.source.forms)], problem.source.end)
    best, text, at = -np.inf, "", 0.0
    started, before = time.perf_counter(), session.usage.lm_tokens
    async for point in cgmh(session, problem.target, state, np.random.default_rng(7), CGMH_STEPS):
        if point.log_prob_per_token > best and problem.target.admits(point.state):
            best, text = point.log_prob_per_token, problem.vocabulary.decode(point.state.tokens)
            at = time.perf_counter() - started
    seconds = time.perf_counter() - started
    return {
        "seconds": seconds,
        "chain_steps_per_second": CGMH_STEPS / seconds,
        "lm_tokens_per_chain_step": (session.usage.lm_tokens - before) / CGMH_STEPS,
        "best_log_prob_per_token": best,
        "best": text,
        "seconds_to_goal": at,
    }


async def drawn(model: LoadedModel, keywords: list[str], batcher: Batcher) -> dict[str, Any]:
    """Rejection, up to the cap."""
    request = SentencesRequest.model_validate({"keywords": keywords, "seed": 7})
    problem = make_problem(request, model, Settings().limits)
    session = await Session.open(model, problem.vocabulary.name, problem.language.context(None), batcher, remember=0)
    return asdict(await rejection(session, problem.target, np.random.default_rng(7), cap=CAP, batch=64, most_tokens=24))


async def main(sets: int, output: Path) -> None:
    """Measure, print, write."""
    where = machine()
    settings = Settings()
    model = load("default", cache=settings.cache_dir, progress=lambda what, share: None, masks=masks(settings.rules()))
    batcher = Batcher(ThreadPoolExecutor(1))
    await ours(model, SETS[0], batcher, 0.0)  # warm up
    rows: list[dict[str, Any]] = []
    for keywords in SETS[:sets]:
        rival = await theirs(model, keywords, batcher)
        rows.append(
            {
                "keywords": keywords,
                "cgmh": rival,
                "chainwright": await ours(model, keywords, batcher, rival["best_log_prob_per_token"]),
                "rejection": await drawn(model, keywords, batcher),
            }
        )
    ratios = {
        "steps_per_second": [
            r["chainwright"]["chain_steps_per_second"] / r["cgmh"]["chain_steps_per_second"] for r in rows
        ],
        "tokens_per_step": [
            r["cgmh"]["lm_tokens_per_chain_step"] / r["chainwright"]["lm_tokens_per_chain_step"] for r in rows
        ],
        "time_to_cgmh_quality": [
            r["cgmh"]["seconds"] / reached if (reached := r["chainwright"]["seconds_to_goal"]) else None for r in rows
        ],
    }
    table = Table("keywords", "way", "steps/s", "tokens/step", "seconds", "best log p/token", "to CGMH's best", "best")
    for row in rows:
        for way in ("cgmh", "chainwright"):
            r = row[way]
            goal = r["seconds_to_goal"]
            table.add_row(
                " ".join(row["keywords"]),
                way,
                f"{r['chain_steps_per_second']:.1f}",
                f"{r['lm_tokens_per_chain_step']:.1f}",
                f"{r['seconds']:.1f}",
                f"{r['best_log_prob_per_token']:.2f}",
                "not reached" if goal is None else f"{goal:.1f} s",
                r["best"],
            )
        r = row["rejection"]
        table.add_row(
            " ".join(row["keywords"]),
            "rejection",
            "",
            "",
            f"{r['seconds']:.1f}",
            "",
            "",
            r["found"] or f"none in {r['tries']} tries",
        )
    Console().print(table)
    print({name: [v if v is None else round(v, 1) for v in values] for name, values in ratios.items()})
    result = {
        "machine": where,
        "model": {"name": model.name, "precision": model.precision, "fingerprint": model.fingerprint},
        "chains": CHAINS,
        "steps": STEPS,
        "cgmh_steps": CGMH_STEPS,
        "rejection_cap": CAP,
        "median_seconds_ours": statistics.median(r["chainwright"]["seconds"] for r in rows),
        "ratios": ratios,
        "sets": rows,
    }
    write(output, result)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=len(SETS))
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("keywords.json"))
    arguments = parser.parse_args()
    asyncio.run(main(arguments.sets, arguments.output))
