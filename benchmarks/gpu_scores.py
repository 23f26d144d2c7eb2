"""Scores on a device against the CPU's, for every family: prefix reuse, ragged batches, both precisions."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from models.language.scoring.kv_cache import ScoredSentence
from models.language.scoring.scorer import CausalScorer
from tests.support.tiny_model import EVERY_FAMILY, Plain, build, vocabulary

IDS = (20, 9, 12, 7, 30, 15, 25, 8, 11, 29)
MASK = vocabulary(IDS, 5, 2)
CONTEXT = (2, 3, 30, 5, 17, 9)
LENGTHS = (1, 2, 13, 5, 1, 9, 3, 7)

TOLERANCE = 1e-4
"""Nats a token between float32 on the device and on the CPU: rounding moves 1e-6 of them, the ten bits of TF32 1e-3."""

ROUNDING = 2.0
"""Mean error of the engine in bfloat16 over that of the bare model, at most."""


def measure(device: torch.device, seed: int = 0) -> list[dict[str, Any]]:
    """Differences in nats a token, by family and precision."""
    return [
        compare(family, lambda model: model.to(device), dtype, seed)
        for family in EVERY_FAMILY
        for dtype in (torch.float32, torch.bfloat16)
    ]


def compare(family: str, place: Callable[[Any], Any], dtype: torch.dtype, seed: int = 0) -> dict[str, Any]:
    """The engine and the bare model on a device against the bare model on the CPU in float32.

    Half of the sentences continue kept prefixes, of which some lost their keys and values.

    Args:
        family: of the model.
        place: brings a model to the device.
        dtype: of the model there.
        seed: of the sentences.
    """
    exact = Plain(build(EVERY_FAMILY[family]()), MASK.ids)
    bare, model = (place(copy.deepcopy(exact.model).to(dtype)) for _ in range(2))
    scorer = CausalScorer(model)
    output = scorer.forward.output(MASK)
    context = scorer.context(CONTEXT, output)
    rng = np.random.default_rng(seed)
    first = scorer.score(context, output, [_sentence(rng, length) for length in LENGTHS], [None] * len(LENGTHS))
    bases = [replace(one, kv=None) if i % 4 == 3 else one for i, one in enumerate(first)]
    scored = first + scorer.score(context, output, [_edited(rng, one.tokens) for one in first], bases)
    ours, theirs, right = (
        np.concatenate(rows)
        for rows in (
            [one.log_probs for one in scored],
            [Plain(bare, MASK.ids).log_probs(CONTEXT, one.tokens) for one in scored],
            [exact.log_probs(CONTEXT, one.tokens) for one in scored],
        )
    )
    errors = {"engine": np.abs(ours - right), "bare": np.abs(theirs - right), "engine_to_bare": np.abs(ours - theirs)}
    if dtype == torch.float32:
        holds = errors["engine"].max() < TOLERANCE
    else:
        holds = errors["engine"].mean() < ROUNDING * errors["bare"].mean()
    return {
        "family": family,
        "precision": str(dtype).removeprefix("torch."),
        "batch_invariant": scorer.forward.batch_invariant,
        **{f"{name}_max": float(error.max()) for name, error in errors.items()},
        **{f"{name}_mean": float(error.mean()) for name, error in errors.items()},
        "read": _read(scored, scorer),
        "holds": bool(holds),
    }


def _read(scored: list[ScoredSentence], scorer: CausalScorer) -> float:
    """Tokens read for each token of the sentences: below one where prefixes were reused."""
    return scorer.usage.lm_tokens / sum(len(one.tokens) for one in scored)


def _sentence(rng: np.random.Generator, length: int) -> tuple[int, ...]:
    return tuple(int(token) for token in rng.choice(IDS, size=length))


def _edited(rng: np.random.Generator, tokens: tuple[int, ...]) -> tuple[int, ...]:
    """One token replaced or put in, anywhere."""
    at = int(rng.integers(len(tokens)))
    return (*tokens[:at], int(rng.choice(IDS)), *tokens[at + int(rng.integers(2)) :])
