"""Effective sample sizes: how many independent draws the dependent ones of chains are worth."""

from __future__ import annotations

from math import log10, nan, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from samplers.diagnostics.scores import Draws, normal_scores, split, usable

TAIL = 0.05
"""Share of the law in each tail."""


def ess_bulk(draws: Draws) -> float:
    """ESS of the normal scores: for means and medians.

    Args:
        draws: shape (chains, draws).

    Returns:
        NaN with fewer than four draws or a NaN among them; the number of draws where all are equal.
    """
    return _ess(normal_scores(split(draws))) if usable(draws) else nan


def ess_tail(draws: Draws) -> float:
    """The smaller ESS of the two indicators of a value at or below the 5 % and the 95 % quantile; NaN as above."""
    if not usable(draws):
        return nan
    return min(_ess(split(draws <= np.quantile(draws, share))) for share in (TAIL, 1 - TAIL))


def mcse(draws: Draws) -> float:
    """Monte Carlo standard error of the mean: standard deviation over the root of the ESS; NaN as above."""
    if not usable(draws):
        return nan
    with np.errstate(invalid="ignore"):
        return float(draws.std(ddof=1)) / sqrt(_ess(split(draws)))


def _ess(draws: Draws) -> float:
    """Number of draws over the integrated autocorrelation time of all chains together.

    With rho_t the autocorrelation at lag t, combined over chains as in R-hat, and P_k = rho_2k + rho_2k+1:

        tau = -1 + 2 sum_{k < K} min_{j <= k} P_j + rho_2K

    where K is the first pair with P_K <= 0 or the last that there is, and rho_2K is left out where it is negative and
    P_K too. tau is at least 1 / log10(S) for S draws.

    Source: Vehtari et al. (2021), section 3.2; the cut by pairs is Geyer's initial monotone sequence, Practical Markov
    chain Monte Carlo (Statistical Science 1992).
    """
    chains, n = draws.shape
    if np.ptp(draws) < np.finfo(float).resolution:
        return float(draws.size)
    covariances = _autocovariances(draws).mean(axis=0)
    within = covariances[0] * n / (n - 1.0)
    total = covariances[0] + (draws.mean(axis=1).var(ddof=1) if chains > 1 else 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = 1.0 - (within - covariances) / total
    rho[0] = 1.0
    if np.isnan(rho[1]):
        return nan
    pairs = rho[0 : n - n % 2 : 2] + rho[1::2]
    last = max(0, (n - 1) // 2 - 1)
    ended = np.flatnonzero(pairs[: last + 1] <= 0)
    cut = int(ended[0]) if len(ended) else last
    tau = -1.0 + 2.0 * float(np.minimum.accumulate(pairs[:cut]).sum())
    if rho[2 * cut] > 0 or pairs[cut] >= 0:
        tau += float(rho[2 * cut])
    return draws.size / max(tau, 1 / log10(draws.size))


def _autocovariances(draws: npt.NDArray[Any]) -> Draws:
    """Of each chain at every lag, the sums divided by the number of draws."""
    n = draws.shape[1]
    centred = draws - draws.mean(axis=1, keepdims=True)
    size = 1 << (2 * n - 1).bit_length()
    powers = np.abs(np.fft.rfft(centred, n=size, axis=1)) ** 2
    covariances: Draws = np.fft.irfft(powers, n=size, axis=1)[:, :n] / n
    return covariances
