"""Draw whole sentences from the language model until one holds every constraint."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np

from models.language.scoring.kv_cache import ScoredSentence
from models.language.scoring.session import Known, Session
from samplers.language import Alphabet, ProposalQuery
from samplers.state import END, State
from samplers.target import Target


@dataclass(frozen=True, slots=True)
class Rejection:
    """How many tries it took, or that the cap was reached without one."""

    tries: int
    found: str | None
    seconds: float
    lm_tokens: int


async def rejection(
    session: Session, target: Target, rng: np.random.Generator, *, cap: int, batch: int, most_tokens: int
) -> Rejection:
    """Ancestral sampling under the same mask, ``batch`` sentences at a time, ``cap`` in all.

    Each sentence closes when the model draws a closing token, or at ``most_tokens``.
    """
    vocabulary = session.output.vocabulary
    started, before = time.perf_counter(), session.usage.lm_tokens
    end = vocabulary.end_tokens[0]
    for tried in range(0, cap, batch):
        states = [State((end,), (END,)) for _ in range(batch)]
        scored = list(await session.score([s.tokens for s in states], [None] * batch))
        growing = list(range(batch))
        for _ in range(most_tokens):
            # An end is drawn with its own probability: the rest of the mask shares what is left.
            stops = [rng.random() < _end_share(session, full(scored[i])) for i in growing]
            queries = [
                ProposalQuery(
                    states[i].end, 1e-9, alphabet=Alphabet.ENDS if stop else Alphabet.INTERIOR, uniform=rng.random()
                )
                for i, stop in zip(growing, stops, strict=True)
            ]
            replies = await session.propose([scored[i] for i in growing], queries)
            for i, stop, reply in zip(growing, stops, replies, strict=True):
                assert reply.token is not None
                state = states[i]
                states[i] = state.replaced(state.end, reply.token) if stop else state.inserted(state.end, reply.token)
            growing = [i for i, stop in zip(growing, stops, strict=True) if not stop]
            if not growing:
                break
            fresh = await session.score(
                [states[i].tokens for i in growing],
                [scored[i] for i in growing],
            )
            for i, score in zip(growing, fresh, strict=True):
                scored[i] = score
        for k, state in enumerate(states):
            if target.admits(state):
                seconds = time.perf_counter() - started
                return Rejection(tried + k + 1, target.decode(state.tokens), seconds, session.usage.lm_tokens - before)
    return Rejection(cap, None, time.perf_counter() - started, session.usage.lm_tokens - before)


def full(scored: Known) -> ScoredSentence:
    """A score with its hidden states, which a session without a store always gives."""
    assert isinstance(scored, ScoredSentence)
    return scored


def _end_share(session: Session, scored: ScoredSentence) -> float:
    """p(an end | prefix) over interior and ends, at the last position."""
    head = session.output
    hidden = scored.hidden[-1:]
    logits = head.logits(hidden)[0, : head.vocabulary.interior + head.vocabulary.ends].double()
    return float(logits.softmax(-1)[head.vocabulary.interior :].sum())
