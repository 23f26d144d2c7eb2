"""Rank-normalised draws of split chains, from which R-hat and bulk ESS are computed."""

from __future__ import annotations

from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Draws = npt.NDArray[np.float64]
"""A quantity's values, shape (chains, draws)."""

MIN_DRAWS = 4
"""Fewest draws a chain for any figure: two for each of its halves."""


def usable(draws: npt.NDArray[Any], chains: int = 1) -> bool:
    """Whether there are enough chains and draws, none of them NaN."""
    return draws.shape[0] >= chains and draws.shape[1] >= MIN_DRAWS and not np.isnan(draws).any()


def split(draws: npt.NDArray[Any]) -> Draws:
    """First halves of the chains, then their second halves; of an odd number the middle draw is left out."""
    half = draws.shape[1] // 2
    return np.vstack((draws[:, :half], draws[:, -half:])).astype(float)


def folded(draws: Draws) -> Draws:
    """Distances from the median over all draws."""
    return np.abs(draws - np.median(draws))


def normal_scores(draws: Draws) -> Draws:
    """z = Phi^-1((rank - 3/8) / (S + 1/4)) over all S draws, ties by their average rank (Blom 1958).

    Source: Vehtari, Gelman, Simpson, Carpenter and Bürkner, Rank-normalization, folding, and localization: an improved
    R-hat (Bayesian Analysis 2021), equation 14.
    """
    _, places, counts = np.unique(draws, return_inverse=True, return_counts=True)
    shares = (np.cumsum(counts) - (counts - 1) / 2 - 3 / 8) / (draws.size + 1 / 4)
    quantile = NormalDist().inv_cdf
    return np.array([quantile(share) for share in shares.tolist()])[places].reshape(draws.shape)
