"""What a search finds from drafts and from sequential Monte Carlo, and what long searches from drafts find.

    python -m benchmarks.starts SETS ... [--forms FORMS ...] [--skip N] [--sets N] [--long N] [--others FOUND ...]

Sets of three and four keywords, in turns: ``drafts`` at 8 chains by 100 steps, ``smc`` as the default request has it,
and for the first ``--long`` sets of each file ``drafts`` at 16 chains by 1,000. Density is the default target's at
beta = 1, the greatest of all states visited. ``--others`` names what another program or version found for the sets:
JSON Lines of ``keywords``, ``texts`` and ``cpu_seconds``; of its texts that of the greatest density is taken, under
this version's default context.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from statistics import mean, median
from typing import Any

from app.cli.evaluate.keywords import Evaluation, read_sets
from app.engine.engine import Engine, open_engine
from app.engine.session import open_session
from app.settings.settings import Settings
from app.tasks.keywords.problem import make_problem
from app.tasks.keywords.schemas import SentencesRequest
from app.tasks.sampling.prepare import prepared
from benchmarks.machine import machine, write

SIZES: dict[str, dict[str, Any]] = {
    "drafts": {"start": "drafts", "steps": 100},
    "smc": {"start": "smc"},
    "drafts, 16 x 1,000": {"start": "drafts", "chains": 16, "steps": 1000},
}
OTHERS = "others"


async def searched(engine: Engine, keywords: list[list[str]], seed: int, sampler: dict[str, Any]) -> dict[str, Any]:
    """The best state of one search, what it cost, and how long after its start it was found."""
    request = SentencesRequest.model_validate({"keywords": keywords, "seed": seed, "sampler": sampler})
    problem = await asyncio.to_thread(make_problem, request, engine.model, engine.limits)
    began, wall = time.process_time(), time.perf_counter()
    async with prepared(problem, request, engine) as run:
        async for _ in run.progress():
            pass
        best = max(run.trace.visits.values(), key=run.log_density)
        return {
            "log_density": run.log_density(best),
            "log_prob": max(visit.log_prob for visit in run.trace.visits.values()),
            "text": problem.vocabulary.decode(best.state.tokens),
            "step": best.step,
            "lm_tokens": run.usage.lm_tokens,
            "lm_calls": run.usage.lm_calls,
            "cpu_seconds": time.process_time() - began,
            "seconds": time.perf_counter() - wall,
        }


async def others(engine: Engine, keywords: list[list[str]], found: dict[str, Any]) -> dict[str, Any]:
    """The best of another program's texts, as ``searched`` has ours."""
    request = SentencesRequest.model_validate({"keywords": keywords})
    problem = await asyncio.to_thread(make_problem, request, engine.model, engine.limits)
    spelt = [problem.vocabulary.sentence(text) for text in found["texts"]]
    session = await open_session(engine, problem.vocabulary.name, problem.language.opening, max(map(len, spelt)))
    scored = await session.score(spelt, [None] * len(spelt))
    densities = [problem.target.objective.value(one.log_probs) for one in scored]
    best = max(range(len(spelt)), key=densities.__getitem__)
    return {
        "log_density": densities[best],
        "log_prob": max(float(one.log_probs.sum()) for one in scored),
        "text": found["texts"][best],
        "lm_tokens": 0,
        "cpu_seconds": found["cpu_seconds"],
        "seconds": found["cpu_seconds"],
    }


async def measured(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """All sets, each with all its searches in turn."""
    rows = []
    lines = [line for file in arguments.others for line in file.read_text("utf-8").splitlines()]
    known = {str(found["keywords"]): found for found in map(json.loads, lines)}
    with tempfile.TemporaryDirectory() as state:
        settings = Settings(state_dir=Path(state), score_cache_memory=0)
        async with open_engine(settings, lambda what, share: None) as engine:
            for place, file in enumerate(arguments.files):
                forms = arguments.forms[place] if place < len(arguments.forms) else None
                sets = read_sets(Evaluation(file, forms, None, 0, 0, 0, "auto", None))
                several = [each for each in sets if len(each.keywords) in (3, 4)][arguments.skip :][: arguments.sets]
                for number, each in enumerate(several):
                    sizes = [name for name in SIZES if "1,000" not in name or number < arguments.long]
                    found = {name: await searched(engine, each.keywords, each.line, SIZES[name]) for name in sizes}
                    if (other := known.get(str(each.keywords))) is not None:
                        found[OTHERS] = await others(engine, each.keywords, other)
                    rows.append({"file": file.parent.name, "line": each.line, "searches": found})
                    print(
                        each.line, {name: (one["text"], one["log_density"]) for name, one in found.items()}, flush=True
                    )
    return rows


def summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means of each search, and in how many sets SMC's best is at least that of each other."""
    figures: dict[str, Any] = {}
    for name in (*SIZES, OTHERS):
        own = [row["searches"][name] for row in rows if name in row["searches"]]
        if own:
            figures[name] = {
                "sets": len(own),
                "mean_log_density": mean(one["log_density"] for one in own),
                "mean_lm_tokens": mean(one["lm_tokens"] for one in own),
                "median_seconds": median(one["seconds"] for one in own),
                "median_cpu_seconds": median(one["cpu_seconds"] for one in own),
            }
    for name in (*SIZES, OTHERS):
        pairs = [(row["searches"]["smc"], row["searches"][name]) for row in rows if name in row["searches"]]
        if pairs and name != "smc":
            figures[f"smc at least {name}"] = sum(one["log_density"] >= other["log_density"] for one, other in pairs)
            figures[f"smc's log p at least {name}"] = sum(one["log_prob"] >= other["log_prob"] for one, other in pairs)
            figures[f"mean gain over {name}"] = mean(one["log_density"] - other["log_density"] for one, other in pairs)
            shares = [one["cpu_seconds"] / other["cpu_seconds"] for one, other in pairs]
            figures[f"CPU seconds of smc to {name}"] = median(shares)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--forms", type=Path, nargs="*", default=[], help="of the files, in their order from the first")
    parser.add_argument("--skip", type=int, default=0)
    parser.add_argument("--sets", type=int, default=20, help="of each file")
    parser.add_argument("--long", type=int, default=4, help="of each file, also searched for long")
    parser.add_argument("--others", type=Path, nargs="*", default=[])
    parser.add_argument("--output", type=Path, default=Path("benchmarks/starts.json"))
    arguments = parser.parse_args()
    result: dict[str, Any] = {"machine": machine()}
    rows = asyncio.run(measured(arguments))
    write(arguments.output, result | {"summary": summary(rows), "rows": rows})


if __name__ == "__main__":
    main()
