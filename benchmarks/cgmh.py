"""CGMH's way of working, for comparison only: one chain, every edit rescored in full for 100 candidates.

After Miao et al., CGMH: Constrained Sentence Generation by Metropolis-Hastings Sampling (AAAI
2019), section 3.3: replace and insert draw a token in proportion to the whole sentence's
probability over a shortlist of candidates taken from the left context; replacement is always
accepted, insertion and deletion by their ratio. Its defects (a shortlist that depends on the
state) are kept: this is the rival, not a sampler to rely on.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.rejection import full
from models.language.scoring.session import Session
from samplers.state import State
from samplers.target import Target

CANDIDATES = 100


@dataclass(frozen=True, slots=True)
class Point:
    """The chain after a step: the state and its log-prob per token."""

    state: State
    log_prob_per_token: float


async def cgmh(
    session: Session, target: Target, state: State, rng: np.random.Generator, steps: int
) -> AsyncGenerator[Point]:
    """Run one chain and yield after every step."""
    (scored,) = await session.score([state.tokens], [None])
    for _ in range(steps):
        action = ("replace", "insert", "delete")[int(rng.integers(3))]
        after = state
        if action == "replace" and state.free:
            position = state.free[int(rng.integers(len(state.free)))]
            options = [state.replaced(position, token) for token in await _shortlist(session, state, position)]
            after, _ = await _choose(session, target, options, rng) or (state, 0.0)
        elif action == "insert":
            gap = state.gaps[int(rng.integers(len(state.gaps)))]
            options = [state.inserted(gap, token) for token in await _shortlist(session, state, gap)]
            chosen = await _choose(session, target, options, rng)
            if chosen is not None:
                longer, log_g = chosen
                (new,) = await session.score([longer.tokens], [None])
                log_ratio = new.log_probs.sum() - scored.log_probs.sum() - log_g
                if np.log(rng.random()) < log_ratio:
                    after = longer
        elif action == "delete" and state.free:
            position = state.free[int(rng.integers(len(state.free)))]
            shorter = state.deleted(position)
            options = [shorter.inserted(position, token) for token in await _shortlist(session, state, position)]
            log_g = await _log_share(session, target, options, state)
            if target.admits(shorter):
                (new,) = await session.score([shorter.tokens], [None])
                if np.log(rng.random()) < new.log_probs.sum() - scored.log_probs.sum() + log_g:
                    after = shorter
        if after != state:
            state = after
            (scored,) = await session.score([state.tokens], [None])
        yield Point(state, float(scored.log_probs.mean()))


async def _shortlist(session: Session, state: State, position: int) -> list[int]:
    """The 100 likeliest tokens by the left context."""
    vocabulary = session.output.vocabulary
    (scored,) = await session.score([state.tokens], [None])
    with torch.inference_mode():
        row = session.output.logits(full(scored).hidden[position : position + 1])[0, : vocabulary.interior]
        return [int(vocabulary.ids[k]) for k in row.topk(CANDIDATES).indices.tolist()]


async def _log_shares(session: Session, target: Target, options: list[State]) -> tuple[list[State], np.ndarray] | None:
    admitted = [option for option in options if target.admits(option)]
    if not admitted:
        return None
    scores = await session.score([option.tokens for option in admitted], [None] * len(admitted))
    totals = np.array([score.log_probs.sum() for score in scores])
    return admitted, totals - np.logaddexp.reduce(totals)


async def _choose(
    session: Session, target: Target, options: list[State], rng: np.random.Generator
) -> tuple[State, float] | None:
    shares = await _log_shares(session, target, options)
    if shares is None:
        return None
    admitted, log_shares = shares
    k = int(rng.choice(len(admitted), p=np.exp(log_shares) / np.exp(log_shares).sum()))
    return admitted[k], float(log_shares[k])


async def _log_share(session: Session, target: Target, options: list[State], state: State) -> float:
    """Log of the share that an insertion would give the present state; -inf if it is not among the options."""
    shares = await _log_shares(session, target, options)
    if shares is None or state not in shares[0]:
        return -np.inf
    return float(shares[1][shares[0].index(state)])
