"""Schedules: the inverse temperature beta of each step."""

from __future__ import annotations

from collections.abc import Callable, Sequence

Schedule = Callable[[int, int], float]
"""beta of a chain, by its number from 0 and that of its step, t = 1 ... steps."""


def constant(beta: float) -> Schedule:
    """beta_t = beta. Metropolis-Hastings at beta = 1 samples the target."""
    return lambda chain, step: beta


def linear(start: float, stop: float, steps: int) -> Schedule:
    """beta_t from ``start`` at t = 1 to ``stop`` at t = steps in equal differences."""
    return lambda chain, step: start + (stop - start) * _progress(step, steps)


def geometric(start: float, stop: float, steps: int) -> Schedule:
    """beta_t from ``start`` at t = 1 to ``stop`` at t = steps in equal ratios; both positive.

    Source: Kirkpatrick, Gelatt and Vecchi, Optimization by Simulated Annealing (Science 1983).
    """
    return lambda chain, step: start * (stop / start) ** _progress(step, steps)


def listed(betas: Sequence[float], steps: int) -> Schedule:
    """The given betas, stretched evenly over the steps: piecewise constant.

    Raises:
        ValueError: no beta is given.
    """
    if not betas:
        raise ValueError("a listed schedule needs at least one beta")
    return lambda chain, step: betas[min((step - 1) * len(betas) // max(steps, 1), len(betas) - 1)]


def _progress(step: int, steps: int) -> float:
    return (step - 1) / (steps - 1) if steps > 1 else 1.0
