"""lm-evaluation-harness by the service and by its own Hugging Face backend, on the same weights: the same numbers?

    python -m benchmarks.harness [--output benchmarks/harness.json]

Starts the real service with the default model in float32 on a free loopback port, then the harness' command against it
and with the backend in single and in double precision, which tells whose rounding a difference is. The harness must be
installed: ``pip install 'lm-eval[api]'``.
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

Answers = dict[int, list[tuple[float, bool]]]
"""Of each item, the log-likelihood of each choice, and whether the model would have written it."""


def evaluate(folder: Path, model: str, arguments: dict[str, object]) -> tuple[Answers, dict[str, Any]]:
    """The answers to each item by the harness' command with one of its models; score and duration."""
    given = ",".join(f"{name}={value}" for name, value in arguments.items())
    asked = ["--model", model, "--model_args", given, "--tasks", TASK, "--include_path", "benchmarks/lm_eval_task"]
    kept = ["--device", "cpu", "--log_samples", "--output_path", str(folder)]
    offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(folder / "datasets"), "NO_PROXY": "127.0.0.1"}
    began = time.perf_counter()
    command = [sys.executable, "-m", "lm_eval", "run", *asked, *kept]
    subprocess.run(command, check=True, cwd=ROOT, env=os.environ | offline, stdout=subprocess.DEVNULL)
    seconds = time.perf_counter() - began
    (samples,), (results,) = folder.rglob("samples_*.jsonl"), folder.rglob("results_*.json")
    found: Answers = {}
    for line in samples.read_text("utf-8").splitlines():
        sample = json.loads(line)
        found[sample["doc_id"]] = [(float(log), greedy == "True") for ((log, greedy),) in sample["resps"]]
    scored = json.loads(results.read_text("utf-8"))["results"][TASK]
    return found, {"seconds": seconds, "acc": scored["acc,none"]}


def compared(ours: Answers, theirs: Answers) -> dict[str, Any]:
    """How far the log-likelihoods of each item are apart, and the flags."""
    pairs = [list(zip(mine, theirs[item], strict=True)) for item, mine in ours.items()]
    apart = [max(abs(a[0] - b[0]) for a, b in item) for item in pairs]
    return {
        "greatest_difference": max(apart),
        "items_above_1e-4": sum(one > 1e-4 for one in apart),
        "greedy_flags_that_differ": sum(a[1] != b[1] for item in pairs for a, b in item),
    }


def main(output: Path) -> None:
    """Run the service and the backend in both precisions; compare, print, write."""
    if find_spec("lm_eval") is None:
        sys.exit("lm-evaluation-harness is not installed; remedy: pip install 'lm-eval[api]'")
    weights = default_weights(Settings().cache_dir, lambda what, share: None)
    with tempfile.TemporaryDirectory(prefix="cw") as name:
        folder = Path(name)
        with service(folder / "state", CHAINWRIGHT_PRECISION="float32") as url:
            card = httpx.get(f"{url}/v1/models", timeout=30, trust_env=False).json()["models"][0]
            asked = {
                "model": card["name"],
                "base_url": f"{url}/v1/completions",
                "tokenizer_backend": "huggingface",
                "tokenizer": weights,
                "add_bos_token": True,
            }
            ours, our_run = evaluate(folder / "service", "local-completions", asked)
        single, single_run = evaluate(folder / "single", "hf", {"pretrained": weights, "dtype": "float32"})
        double, double_run = evaluate(folder / "double", "hf", {"pretrained": weights, "dtype": "float64"})
    result = {
        "harness": version("lm-eval"),
        "items": len(ours),
        "log_likelihoods": sum(map(len, ours.values())),
        "greedy_flags": sum(flag for item in double.values() for _, flag in item),
        "service": our_run,
        "hf_float32": single_run,
        "hf_float64": double_run,
        "service_and_hf_float64": compared(ours, double),
        "service_and_hf_float32": compared(ours, single),
        "hf_float32_and_hf_float64": compared(single, double),
    }
    print(json.dumps(result, indent=1))
    write(output, {"machine": machine(), "model": card, **result})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("harness.json"))
    main(parser.parse_args().output)
