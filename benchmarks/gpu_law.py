"""Law of chains whose language model is on a device, against enumeration on the CPU."""

from __future__ import annotations

import copy
import time
from itertools import product
from typing import Any

import numpy as np
import torch

from models.language.scoring.scorer import CausalScorer
from samplers.constraints.length import LengthBounds
from samplers.constraints.length import tokens as length_in_tokens
from samplers.first_states import from_text
from samplers.kernels.metropolis import MetropolisHastings
from samplers.moves.base import Move
from samplers.moves.delete import Delete
from samplers.moves.insert import Insert
from samplers.moves.redraw import Redraw
from samplers.moves.replace import Replace
from samplers.schedules import constant
from samplers.target import Target
from samplers.testing import decode, pearson, states_after
from samplers.testing.toy import ENDS, INTERIOR
from tests.support.tiny_model import EVERY_FAMILY, Engine, Plain, build, vocabulary

WORDS = INTERIOR[:2]
MASK = vocabulary([*WORDS, *ENDS, 6, 7], len(WORDS), len(ENDS), name="toy")
CONTEXT = (2, 19, 30, 11)
LONGEST = 5
EPSILON = 0.1
WEIGHTS = {"replace": 0.3, "insert": 0.3, "delete": 0.25, "redraw": 0.15}

DEVIATION = 4.0
"""Standard deviations by which Pearson's statistic may exceed its mean."""

MOVED = 0.25
"""Least share of the chains that must stand elsewhere than they began."""


def measure(family: str, device: torch.device, dtype: torch.dtype, chains: int, steps: int) -> dict[str, Any]:
    """Where independent chains stand so many steps after first states drawn from the law itself.

    They must have it still. In bfloat16 the law is that of other scores, so that nothing is claimed.
    """
    plain = Plain(build(EVERY_FAMILY[family]()), MASK.ids)
    words = [word for count in range(LONGEST - 2, LONGEST) for word in product(WORDS, repeat=count)]
    states = [from_text((*word, end)) for word in words for end in ENDS]
    log_probs = np.array([plain.log_probs(CONTEXT, state.tokens).sum() for state in states])
    law = np.exp(log_probs) / np.exp(log_probs).sum()

    scorer = CausalScorer(copy.deepcopy(plain.model).to(dtype).to(device))
    output = scorer.forward.output(MASK)
    engine = Engine(scorer, output, scorer.context(CONTEXT, output))
    moves: list[Move] = [Replace(EPSILON), Insert(EPSILON), Delete(EPSILON), Redraw(ENDS, LONGEST - 1, EPSILON)]
    target = Target(decode, [LengthBounds(length_in_tokens, LONGEST - 1, LONGEST)])
    kernel = MetropolisHastings(target, moves, WEIGHTS, constant(1.0))
    started = time.perf_counter()
    first = [states[i] for i in np.random.default_rng(1).choice(len(states), size=chains, p=law)]
    after = states_after(kernel, engine, first, steps, seed=5)
    number = {state: i for i, state in enumerate(states)}
    counts = np.bincount([number[state] for state in after], minlength=len(states))
    statistic, freedom = pearson(counts, chains * law)
    deviation = float((statistic - freedom) / np.sqrt(2 * freedom))
    moved = float(np.mean([one != other for one, other in zip(first, after, strict=True)]))
    independent = np.random.default_rng(0).multinomial(chains, law, size=64)
    return {
        "family": family,
        "precision": str(dtype).removeprefix("torch."),
        "states": len(states),
        "likeliest": float(law.max()),
        "chains": chains,
        "steps": steps,
        "seconds": time.perf_counter() - started,
        "read": scorer.usage.lm_tokens / engine.sentence_tokens,
        "total_variation": _total_variation(counts / chains, law),
        "of_independent_draws": float(np.mean([_total_variation(one / chains, law) for one in independent])),
        "deviation": deviation,
        "moved": moved,
        "holds": None if dtype != torch.float32 else deviation < DEVIATION and moved > MOVED,
    }


def _total_variation(p: np.ndarray[Any, Any], q: np.ndarray[Any, Any]) -> float:
    return float(0.5 * np.abs(p - q).sum())
