"""Fits generalised additive models of log-odds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.odds import CONSTANT, Features, Odds, term


def fitted(rows: Sequence[Features], right: Sequence[bool], terms: Sequence[str], ridge: float) -> Odds:
    """The odds that make what was right likeliest, by Newton's method.

    Args:
        rows: the features of each.
        right: whether each is.
        terms: their names.
        ridge: penalty of the squared weights, each term in units of its standard deviation.
    """
    x = np.array([[term(name, features) for name in terms] for features in rows])
    scale = x.std(0)
    scale[scale == 0] = 1.0
    weights = _newton(np.column_stack([np.ones(len(x)), x / scale]), np.array(right, dtype=np.float64), ridge)
    found = dict(zip(terms, (weights[1:] / scale).tolist(), strict=True))
    return Odds({CONSTANT: float(weights[0]), **{name: float(f"{value:.5g}") for name, value in found.items()}})


def _newton(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], ridge: float) -> npt.NDArray[np.float64]:
    """The weights of greatest penalised likelihood; a step that would lower it is halved."""
    penalty = ridge * np.array([1e-9, *[1.0] * (x.shape[1] - 1)])

    def likelihood(weights: npt.NDArray[np.float64]) -> float:
        logits = x @ weights
        return float(y @ logits - np.logaddexp(0, logits).sum() - (penalty * weights**2).sum() / 2)

    weights = np.zeros(x.shape[1])
    weights[0] = np.log(y.mean() / (1 - y.mean()))
    best = likelihood(weights)
    for _ in range(100):
        p = np.exp(-np.logaddexp(0, -x @ weights))
        step = np.linalg.solve((x.T * (p * (1 - p))) @ x + np.diag(penalty), x.T @ (y - p) - penalty * weights)
        while (found := likelihood(weights + step)) < best:
            step /= 2
        weights, best, gained = weights + step, found, found - best
        if gained < 1e-6:
            break
    return weights
