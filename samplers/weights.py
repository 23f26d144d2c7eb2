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


def optimal(
    log_weights: Sequence[float] | npt.NDArray[np.float64], count: int, uniform: float
) -> list[tuple[int, float]]:
    """At most ``count`` distinct indices, with log weights that are exp(log_weights) on average.

    The weights above a threshold c stay as they are. Of the others each is kept with probability w / c, and then
    weighs c; c is such that sum min(w / c, 1) = count. Of all unbiased ways to keep so many this changes the weights
    least.

    Source: Fearnhead and Clifford, On-line inference for hidden Markov models via particle filters (JRSS B 2003).

    Args:
        log_weights: in nats, n of them, none -inf.
        count: >= 1; where n is not above it, all stay.
        uniform: in [0, 1), for the systematic draw among those below the threshold.
    """
    logs = np.asarray(log_weights, dtype=float)
    if len(logs) <= count:
        return [(place, float(log_weight)) for place, log_weight in enumerate(logs)]
    order = np.argsort(-logs, kind="stable")
    shares = np.exp(logs[order] - logs[order[0]])
    rest = np.cumsum(shares[::-1])[::-1]
    # With the k greatest kept, c = rest[k] / (count - k): k is the first number whose next weight is below that.
    above = next(k for k in range(count) if k == count - 1 or shares[k] * (count - k) <= rest[k])
    threshold = float(logs[order[0]] + np.log(rest[above] / (count - above)))
    drawn = systematic(logs[order[above:]], count - above, uniform)
    return [(int(place), float(logs[place])) for place in order[:above]] + [
        (int(order[above + place]), threshold) for place in dict.fromkeys(drawn)
    ]


def split(
    log_weights: Sequence[float] | npt.NDArray[np.float64], count: int, uniform: float
) -> list[tuple[int, float]]:
    """Each index at least once, ``count`` times in all if there are fewer, its log weight shared by its copies.

    Copies beyond the first are drawn systematically, by weight.
    """
    logs = np.asarray(log_weights, dtype=float)
    extra = max(0, count - len(logs))
    copies = 1 + np.bincount(systematic(logs, extra, uniform) if extra else [], minlength=len(logs)).astype(int)
    shared = logs - np.log(copies)
    return [(place, float(shared[place])) for place, count in enumerate(copies) for _ in range(count)]
