"""How many tokens a second a bare model reads, and how many the packed forward: the engine's limit.

    python -m benchmarks.forward [--shapes 0.3B 1.7B 8B] [--output benchmarks/forward.json]

Random weights in the shapes of common models, so nothing is downloaded; needs torch, transformers
and numpy alone. On a GPU all three shapes are run unless told otherwise, on a CPU the first.
The bare model is transformers' own, without a head, on batches without padding.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from transformers import AutoModelForCausalLM

from benchmarks.machine import machine, write
from models.language.scoring.kv_cache import ScoredSentence
from models.language.scoring.scorer import CausalScorer
from models.language.vocabulary import Vocabulary, after_space

ALLOWED = 12_800
"""Tokens of the mask, as many as the Chinese one has."""

SHAPES: dict[str, dict[str, Any]] = {
    "0.3B": {
        "hidden_size": 640,
        "intermediate_size": 2048,
        "num_hidden_layers": 18,
        "num_attention_heads": 4,
        "num_key_value_heads": 1,
        "head_dim": 256,
    },
    "1.7B": {
        "hidden_size": 2048,
        "intermediate_size": 6144,
        "num_hidden_layers": 28,
        "num_attention_heads": 16,
        "num_key_value_heads": 8,
        "head_dim": 128,
    },
    "8B": {
        "hidden_size": 4096,
        "intermediate_size": 12288,
        "num_hidden_layers": 36,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": 128,
    },
}


def build(shape: str, device: torch.device, dtype: torch.dtype) -> Any:
    """A random model of Qwen 3's architecture in a shape."""
    config = transformers.Qwen3Config(vocab_size=32_000, tie_word_embeddings=True, **SHAPES[shape])
    with torch.device(device):
        torch.set_default_dtype(dtype)
        try:
            return AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").eval().requires_grad_(False)
        finally:
            torch.set_default_dtype(torch.float32)


def seconds(work: Any, device: torch.device, least: float = 1.0) -> float:
    """The shortest of several runs, at least three and a second of them."""
    times: list[float] = []
    while len(times) < 3 or sum(times) < least:
        if device.type == "cuda":
            torch.cuda.synchronize()
        started = time.perf_counter()
        work()
        if device.type == "cuda":
            torch.cuda.synchronize()
        times.append(time.perf_counter() - started)
    return min(times[1:])


def measure(shape: str, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """Bare throughput over batch sizes and lengths, then edits of one token through the scorer."""
    model = build(shape, device, dtype)
    bare: list[dict[str, Any]] = []
    body = model.get_decoder()
    batches = (1, 4, 16, 64) if device.type == "cpu" else (16, 64, 256, 1024)
    with torch.inference_mode():
        for batch in batches:
            for length in (8, 16, 32):
                ids = torch.randint(0, 32_000, (batch, length), device=device)
                took = seconds(lambda ids=ids: body(input_ids=ids, use_cache=False), device)
                bare.append({"batch": batch, "length": length, "tokens_per_second": batch * length / took})
    scorer = CausalScorer(model, max_tokens=65_536, max_slots=65_536)
    pieces = [f" w{k}" for k in range(32_000)]
    mask = Vocabulary("random", after_space, pieces, np.arange(ALLOWED), ALLOWED - 8, 8, lambda text: [])
    head = scorer.forward.output(mask)
    context = scorer.context([1], head)
    rng = np.random.default_rng(0)
    edits = []
    for chains in (16, 64) if device.type == "cpu" else (64, 256, 1024):
        sentences = [tuple(int(t) for t in rng.integers(0, ALLOWED, 14)) for _ in range(chains)]
        bases: list[ScoredSentence] = scorer.score(context, head, sentences, [None] * chains)
        edited = [replaced(rng, sentence) for sentence in sentences]
        before = scorer.usage.lm_tokens
        scorer.score(context, head, edited, bases)
        fed = scorer.usage.lm_tokens - before
        took = seconds(lambda: scorer.score(context, head, edited, bases), device)  # noqa: B023 - called at once
        edits.append({"chains": chains, "tokens": fed, "tokens_per_second": fed / took})
    best = max(row["tokens_per_second"] for row in bare)
    return {
        "shape": shape,
        "precision": str(dtype).removeprefix("torch."),
        "batch_invariant": scorer.forward.batch_invariant,
        "bare": bare,
        "edits": edits,
        "edits_to_bare": max(row["tokens_per_second"] for row in edits) / best,
    }


def replaced(rng: np.random.Generator, sentence: tuple[int, ...]) -> tuple[int, ...]:
    """One token replaced."""
    at = int(rng.integers(len(sentence) - 1))
    return (*sentence[:at], int(rng.integers(0, ALLOWED)), *sentence[at + 1 :])


def main(shapes: list[str] | None, output: Path) -> None:
    """Measure, print, write."""
    where = machine()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    chosen = shapes or (list(SHAPES) if device.type == "cuda" else ["0.3B"])
    rows = []
    for shape in chosen:
        for dtype in (torch.float32, torch.bfloat16) if device.type == "cpu" else (torch.bfloat16,):
            row = measure(shape, device, dtype)
            rows.append(row)
            best = max(row["bare"], key=lambda one: one["tokens_per_second"])
            at = f"{best['batch']} x {best['length']}"
            print(f"{shape} {row['precision']}: bare {best['tokens_per_second']:,.0f} tokens/s at {at}")
            for edit in row["edits"]:
                print(f"  {edit['chains']} edits: {edit['tokens_per_second']:,.0f} tokens/s, head included")
    write(output, {"machine": where, "rows": rows})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shapes", nargs="+", choices=list(SHAPES))
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("forward.json"))
    arguments = parser.parse_args()
    main(arguments.shapes, arguments.output)
