"""Logistic regression."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_STEPS = 100


def logistic_fit(x: NDArray[np.float64], y: NDArray[np.float64], ridge: float) -> tuple[NDArray[np.float64], float]:
    """Weights w, (F,), and bias b of p(y = 1) = sigmoid(b + w . x), by Newton's method.

    Args:
        x: features, (N, F), of like scales.
        y: 0 or 1, (N,).
        ridge: weight of |w|^2 / 2 for each row: without it a separable sample has no finite fit.
    """
    rows = np.column_stack((x, np.ones(len(x))))
    weights = np.zeros(rows.shape[1])
    penalty = ridge * len(rows) * np.diag([*np.ones(rows.shape[1] - 1), 0.0])
    for _ in range(_STEPS):
        p = sigmoid(rows @ weights)
        gradient = rows.T @ (p - y) + penalty @ weights
        curvature = (rows * (p * (1 - p))[:, None]).T @ rows + penalty + 1e-9 * np.eye(len(weights))
        step = np.linalg.solve(curvature, gradient)
        weights -= step
        if np.abs(step).max() < 1e-9:
            break
    return weights[:-1], float(weights[-1])


def sigmoid(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """1 / (1 + exp(-z)), without overflow."""
    return 0.5 * (1 + np.tanh(z / 2))
