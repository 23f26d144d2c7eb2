"""The chains of commit 337c213 for benchmarks.mixing; run it in a worktree of that commit.

    git worktree add OLD 337c213 && cd OLD && python setup.py build_ext --inplace
    PYTHONPATH=. python NEW/benchmarks/mixing_337c213.py TOKENS CHAINS SETS.json --output OLD.json

SETS.json is what ``python -m benchmarks.mixing --write-sets`` writes, OLD.json what its ``--others`` reads.
"""

import argparse
import asyncio
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from app.engine import open_engine  # type: ignore
from app.sentences.schemas import SentencesRequest  # type: ignore
from app.sentences.service import prepared  # type: ignore
from app.settings import Settings  # type: ignore


async def run(body: dict[str, Any], engine: Any, tokens: int, chains: int, seed: int) -> dict[str, Any]:
    """Metropolis at beta 1 for so many LM tokens after the first states."""
    sampler = {"kind": "metropolis", "chains": chains, "steps": engine.limits.max_steps}
    request = SentencesRequest.model_validate({**body, "seed": seed, "sampler": sampler})
    series: list[list[float]] = [[] for _ in range(chains)]
    stand: list[list[int]] = []
    accepted: list[tuple[list[int], list[int]]] = []
    async with prepared(request, engine) as sampling:
        usage = sampling.session.usage
        first, began = usage.lm_tokens, time.process_time()
        async for progress in sampling.progress():
            for values, chain in zip(series, progress.step.chains, strict=True):
                values += [values[-1]] * max(0, chain.steps - len(values)) if values else []
                if chain.steps == len(values):
                    values.append(chain.log_prob)
            now = [list(chain.state.tokens) for chain in progress.step.chains]
            accepted += [(old, new) for old, new in zip(stand or now, now, strict=True) if old != new]
            stand = now
            if usage.lm_tokens - first >= tokens:
                break
        seconds = time.process_time() - began
        return {"series": series, "accepted": accepted, "lm_tokens": usage.lm_tokens - first, "cpu_seconds": seconds}


async def main(arguments: argparse.Namespace) -> None:
    """Each set in turn."""
    found = []
    with tempfile.TemporaryDirectory() as state:
        settings = Settings(state_dir=Path(state), score_cache_memory=0, redis_url="off")
        async with open_engine(settings, lambda *progress: None) as engine:
            for body in json.loads(arguments.sets.read_text("utf-8")):
                found.append({**body, **await run(body, engine, arguments.tokens, arguments.chains, arguments.seed)})
                print(body["keywords"], found[-1]["lm_tokens"], found[-1]["cpu_seconds"], flush=True)
                arguments.output.write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokens", type=int)
    parser.add_argument("chains", type=int)
    parser.add_argument("sets", type=Path)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", type=Path, required=True)
    asyncio.run(main(parser.parse_args()))
