"""How many tokens a second a bare model reads, and how many the packed forward: the engine's limit.

    python -m benchmarks.forward [--shapes 0.3B 1.7B 8B] [--output benchmarks/forward.json]

Random weights in the shapes of common models, so nothing is downloaded; needs torch, transformers
and numpy alone. On a GPU all three shapes are run unless told otherwise, on a CPU the first.
The bare model is transformers' own, without a head, on batches without padding.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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
from tests.support.tiny_model import Engine

ALLOWED = 12_800
"""Tokens of the mask, as many as the Chinese one has."""

TOKENS = 32_000
"""Tokens of the vocabulary."""

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


def build(shape: Mapping[str, Any], device: torch.device, dtype: torch.dtype) -> Any:
    """A random model of Qwen 3's architecture in a shape."""
    config = transformers.Qwen3Config(vocab_size=TOKENS, tie_word_embeddings=True, **shape)
    with torch.device(device):
        torch.set_default_dtype(dtype)
        try:
            return AutoModelForCausalLM.from_config(config, attn_implementation="sdpa").eval().requires_grad_(False)
        finally:
            torch.set_default_dtype(torch.float32)


def seconds(work: Callable[[], object], device: torch.device, least: float = 1.0) -> float:
    """The shortest of several runs, at least three and so many seconds of them."""
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


@torch.inference_mode()
def bare_speed(body: Any, batch: int, length: int, least: float = 1.0) -> float:
    """Tokens a second of a bare decoder over a batch without padding."""
    ids = torch.randint(0, TOKENS, (batch, length), device=body.device)
    return batch * length / seconds(lambda: body(input_ids=ids, use_cache=False), body.device, least)


@dataclass(frozen=True, eq=False)
class Chains:
    """Sentences of 14 tokens, scored, and each with one token replaced, anywhere.

    Attributes:
        engine: scorer, output layer and context.
        bases: the sentences.
        edits: the same, edited.
    """

    engine: Engine
    bases: Sequence[ScoredSentence]
    edits: Sequence[tuple[int, ...]]

    @classmethod
    def of(cls, model: Any) -> Callable[[int], Chains]:
        """Makes so many chains; the model is taken apart."""
        scorer = CausalScorer(model, max_tokens=65_536, max_slots=65_536)
        pieces = [f" w{k}" for k in range(TOKENS)]
        mask = Vocabulary("random", after_space, pieces, np.arange(ALLOWED), ALLOWED - 8, 8, lambda text: [])
        output = scorer.forward.output(mask)
        engine = Engine(scorer, output, scorer.context([1], output))

        def chains(count: int) -> Chains:
            rng = np.random.default_rng(count)
            sentences = [tuple(int(t) for t in rng.integers(0, ALLOWED, 14)) for _ in range(count)]
            bases = scorer.score(engine.context, output, sentences, [None] * count)
            return cls(engine, bases, [replaced(rng, sentence) for sentence in sentences])

        return chains

    def score(self) -> int:
        """Score the edits; tokens read."""
        usage = self.engine.scorer.usage
        before = usage.lm_tokens
        self.engine.scorer.score(self.engine.context, self.engine.output, self.edits, self.bases)
        return usage.lm_tokens - before

    def speed(self, least: float = 1.0) -> tuple[int, float]:
        """Tokens read for the edits, and tokens a second, the output layer included."""
        fed = self.score()
        return fed, fed / seconds(self.score, self.engine.scorer.forward.device, least)


def measure(shape: str, device: torch.device, dtype: torch.dtype) -> dict[str, Any]:
    """Bare throughput over batch sizes and lengths, then edits of one token through the scorer."""
    model = build(SHAPES[shape], device, dtype)
    batches, counts = ((1, 4, 16, 64), (16, 64)) if device.type == "cpu" else ((16, 64, 256, 1024), (64, 256, 1024))
    body = model.get_decoder()
    bare: list[dict[str, Any]] = [
        {"batch": batch, "length": length, "tokens_per_second": bare_speed(body, batch, length)}
        for batch in batches
        for length in (8, 16, 32)
    ]
    chains = Chains.of(model)
    edits = []
    for count in counts:
        some = chains(count)
        fed, speed = some.speed()
        edits.append({"chains": count, "tokens": fed, "tokens_per_second": speed})
    return {
        "shape": shape,
        "precision": str(dtype).removeprefix("torch."),
        "batch_invariant": some.engine.scorer.forward.batch_invariant,
        "bare": bare,
        "edits": edits,
        "edits_to_bare": max(row["tokens_per_second"] for row in edits) / max(row["tokens_per_second"] for row in bare),
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
