"""R-hat: whether chains from different first states give the same law."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import nan

import numpy as np
import numpy.typing as npt

from samplers.diagnostics.scores import Draws, folded, normal_scores, split, usable


def rhat(draws: Draws) -> float:
    """Rank-normalised split R-hat, the greater of that of the draws and that of their distances from the median.

    With n draws a half-chain, B the variance of the half-chains' means times n, and W the mean of their variances, of
    normal scores:

        R-hat = sqrt((B / W + n - 1) / n)

    It is 1 where all agree; inf where no half-chain moves and they differ. Source: Vehtari et al. (2021), section 3.

    Args:
        draws: shape (chains, draws).

    Returns:
        NaN with fewer than two chains or four draws, or a NaN among them, or where all draws are equal.
    """

    def of_scores(scores: Draws) -> float:
        means, within = _moments(scores)
        n = scores.shape[1]
        return _root((_ratio(n * means.var(ddof=1), within.mean()) + n - 1) / n)

    return _worse_of_both(draws, of_scores)


def nested_rhat(draws: Draws, superchains: Sequence[int]) -> float:
    """Rank-normalised split nested R-hat, for many chains too short to agree one by one.

    Chains of one superchain start from the same state. With B the variance of the superchains' means, and W the mean
    over superchains of the variance of their half-chains' means plus the mean of their variances:

        R-hat = sqrt(1 + B / W)

    Source: Margossian et al., Nested R-hat (Bayesian Analysis 2024, arXiv:2110.13017), equations 4 to 8.

    Args:
        draws: shape (chains, draws).
        superchains: the superchain of each chain.

    Returns:
        NaN as :func:`rhat`.

    Raises:
        ValueError: the superchains are of different sizes, or not one is given for each chain.
    """
    if len(superchains) != len(draws):
        raise ValueError(f"{len(superchains)} superchains for {len(draws)} chains: give one for each")
    groups = [np.flatnonzero(np.tile(superchains, 2) == each) for each in sorted(set(superchains))]
    if len({len(group) for group in groups}) > 1:
        raise ValueError(f"superchains of {sorted(len(group) // 2 for group in groups)} chains: make them equal")

    def of_scores(scores: Draws) -> float:
        means, within = _moments(scores)
        centres = np.array([means[group].mean() for group in groups])
        spread = np.array([means[group].var(ddof=1) + within[group].mean() for group in groups])
        return _root(1 + _ratio(centres.var(ddof=1), spread.mean()))

    return _worse_of_both(draws, of_scores)


def _worse_of_both(draws: Draws, of_scores: Callable[[Draws], float]) -> float:
    """The figure of the normal scores or of the folded ones; of the former where the latter are all equal."""
    if not usable(draws, chains=2):
        return nan
    halves = split(draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        return max(of_scores(normal_scores(halves)), of_scores(normal_scores(folded(halves))))


def _moments(scores: Draws) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and variance of each half-chain; exactly 0 for one that stands still, whatever the rounding."""
    return scores.mean(axis=1), np.where(np.ptp(scores, axis=1) > 0, scores.var(axis=1, ddof=1), 0.0)


def _ratio(between: np.floating, within: np.floating) -> float:
    return float(np.divide(between, within))


def _root(square: float) -> float:
    return float(np.sqrt(square))
