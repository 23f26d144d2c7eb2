"""Draws that are no chains in an answer: their weights, those drawn by weight, and the report."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from app.tasks.sampling.schemas import DrawsReport
from samplers.kernels.base import Chain
from samplers.outcome import Outcome
from samplers.run import generator
from samplers.weights import systematic

BY_WEIGHT = 2**31
"""Number of the generator by which sentences are drawn from the weighted ones; no particle has it."""


def by_weight(chains: Sequence[Chain], outcome: Outcome, samples: int, seed: int) -> list[Chain]:
    """All of equal weight, or ``samples`` of the others drawn by weight, some of them maybe often."""
    if outcome.log_weights is None or not chains:
        return list(chains)
    drawn = systematic(outcome.log_weights, samples, generator(seed, BY_WEIGHT).random())
    return [chains[i] for i in drawn]


def log_weight(outcome: Outcome | None, chain: int) -> float | None:
    """The log weight of a chain's sentence in nats, or None where none has one."""
    return None if outcome is None or outcome.log_weights is None else outcome.log_weights[chain]


def draws_report(outcome: Outcome) -> DrawsReport:
    """How the draws fared, as the caller sees it."""
    return DrawsReport(
        drawn=outcome.drawn,
        kept=outcome.kept,
        ceiling=outcome.ceiling,
        ess=outcome.ess,
        log_z=None if outcome.log_z == -inf else outcome.log_z,
        resampled=outcome.resampled,
    )
