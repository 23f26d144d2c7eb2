"""Outcome of a sampler whose draws are not chains: counts, weights and the normalising constant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """Figures of independent or weighted draws; None where a sampler has no such figure.

    Attributes:
        drawn: sentences drawn so far, those given up on the way included.
        kept: of these, samples of the target.
        ceiling: greatest weight by which draws are thinned, in nats (see :class:`samplers.rejection.Rejection`).
        log_weights: log weight of each chain's sentence, in nats, on one scale.
        ess: effective sample size, (sum w)^2 / sum w^2.
        log_z: estimate of log sum_x pi(x), in nats; its exponential is unbiased.
        resampled: stages after which only some particles were kept.
    """

    drawn: int
    kept: int
    ceiling: float | None = None
    log_weights: Sequence[float] | None = None
    ess: float | None = None
    log_z: float | None = None
    resampled: int | None = None
