"""lm-evaluation-harness by the service and by its own Hugging Face backend, on the same weights: the same numbers?

    python -m benchmarks.harness [--output benchmarks/harness.json]

Starts the real service with the default model in float32 on a free loopback port, then the harness' command twice. It
must be installed: ``pip install 'lm-eval[api]'``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from app.settings.settings import Settings
from benchmarks.engine import service
from benchmarks.machine import machine, write
from models.language.default_weights import default_weights

ROOT = Path(__file__).parent.parent
TASK = "chainwright_choices"

Answer = tuple[float, bool]
"""Log-likelihood of a choice, and whether the model would have written it."""


def evaluate(folder: Path, model: str, arguments: dict[str, object]) -> tuple[dict[str, list[Answer]], dict[str, Any]]:
    """The answers to each item by the harness' command with one of its models, and its score and duration."""
    given = ",".join(f"{name}={value}" for name, value in arguments.items())
    asked = ["--model", model, "--model_args", given, "--tasks", TASK, "--include_path", "benchmarks/lm_eval_task"]
    kept = ["--device", "cpu", "--log_samples", "--output_path", str(folder / model)]
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder / "datasets"), "NO_PROXY": "127.0.0.1"}
    began = time.perf_counter()
    command = [sys.executable, "-m", "lm_eval", "run", *asked, *kept]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | offline, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    (samples,) = (folder / model).rglob("samples_*.jsonl")
    (results,) = (folder / model).rglob("results_*.json")
    found = {}
    for line in samples.read_text("utf-8").splitlines():
        sample = json.loads(line)
        found[str(sample["doc_id"])] = [(float(log), greedy == "True") for ((log, greedy),) in sample["resps"]]
    scored = json.loads(results.read_text("utf-8"))["results"][TASK]
    return found, {"seconds": seconds, "acc": scored["acc,none"]}


def compare(ours: dict[str, list[Answer]], theirs: dict[str, list[Answer]]) -> dict[str, Any]:
    """How far the answers of two backends are apart."""
    assert ours.keys() == theirs.keys()
    pairs = [pair for item in ours for pair in zip(ours[item], theirs[item], strict=True)]
    return {
        "items": len(ours),
        "log_likelihoods": len(pairs),
        "greatest_difference": max(abs(one[0] - other[0]) for one, other in pairs),
        "greedy_flags": sum(other[1] for _, other in pairs),
        "greedy_flags_that_differ": sum(one[1] != other[1] for one, other in pairs),
    }


def main(output: Path) -> None:
    """Run both, compare, print, write."""
    if find_spec("lm_eval") is None:
        sys.exit("lm-evaluation-harness is not installed; remedy: pip install 'lm-eval[api]'")
    weights = default_weights(Settings().cache_dir, lambda what, share: None)
    with tempfile.TemporaryDirectory(prefix="cw") as name:
        folder = Path(name)
        plain = {"pretrained": weights, "dtype": "float32"}
        theirs, their_run = evaluate(folder, "hf", plain)
        with service(folder / "state", CHAINWRIGHT_PRECISION="float32") as url:
            card = httpx.get(f"{url}/v1/models", timeout=30, trust_env=False).json()["models"][0]
            asked = {
                "model": card["name"],
                "base_url": f"{url}/v1/completions",
                "tokenizer_backend": "huggingface",
                "tokenizer": weights,
                "add_bos_token": True,
            }
            ours, our_run = evaluate(folder, "local-completions", asked)
    result = {"harness": version("lm-eval"), **compare(ours, theirs), "service": our_run, "hf": their_run}
    print(json.dumps(result, indent=1))
    write(output, {"machine": machine(), "model": card, **result})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("harness.json"))
    main(parser.parse_args().output)
