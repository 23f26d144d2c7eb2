"""Weights of draws, as logs: mean, effective sample size, and draws by weight."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def log_sum(log_weights: Sequence[float] | npt.NDArray[np.float64]) -> float:
    """log sum_i w_i in nats; -inf for no weights, or weights that are all 0."""
    values = np.asarray(log_weights, dtype=float)
    greatest = values.max(initial=-np.inf)
    return float(greatest + np.log(np.exp(values - greatest).sum())) if np.isfinite(greatest) else -np.inf


def log_mean(log_weights: Sequence[float] | npt.NDArray[np.float64]) -> float:
    """Log of the mean weight, in nats."""
    return log_sum(log_weights) - float(np.log(len(log_weights))) if len(log_weights) else -np.inf


def normalised(log_weights: Sequence[float] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The weights divided by their sum, shape (n,).

    Raises:
        ValueError: no weight is above 0.
    """
    total = log_sum(log_weights)
    if not np.isfinite(total):
        raise ValueError("no weight is above 0")
    shares = np.exp(np.asarray(log_weights, dtype=float) - total)
    return np.asarray(shares / shares.sum())


def effective_size(log_weights: Sequence[float] | npt.NDArray[np.float64]) -> float:
    """Effective sample size (sum w)^2 / sum w^2: n for equal weights, 1 for a single one, 0 for none.

    Source: Kong, Liu and Wong, Sequential imputations and Bayesian missing data problems (JASA 1994).
    """
    if not np.isfinite(log_sum(log_weights)):
        return 0.0
    return float(1 / (normalised(log_weights) ** 2).sum())


def chosen(log_weights: Sequence[float] | npt.NDArray[np.float64], uniform: float) -> int:
    """The index that a uniform draws, with probability proportional to its weight."""
    cumulative = np.cumsum(normalised(log_weights))
    return int(min(np.searchsorted(cumulative, uniform * cumulative[-1], "right"), len(cumulative) - 1))


def systematic(log_weights: Sequence[float] | npt.NDArray[np.float64], count: int, uniform: float) -> list[int]:
    """``count`` indices, index i so often on average as count w_i / sum w, and never off by one or more.

    Source: Kitagawa, Monte Carlo filter and smoother (JCGS 1996).
    """
    cumulative = np.cumsum(normalised(log_weights))
    points = (np.arange(count) + uniform) / count * cumulative[-1]
    return [int(i) for i in np.minimum(np.searchsorted(cumulative, points, "right"), len(cumulative) - 1)]
