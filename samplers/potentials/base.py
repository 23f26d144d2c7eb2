"""Soft terms of the target: a potential, and the weighted product of several."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from samplers.state import State


class Potential(Protocol):
    """A factor exp(phi(x)) of the target, asked about many states at once.

    phi must be a function of the state alone: the same state has the same value whenever and beside
    whatever it is asked about. A sampler keeps the value of the state where a chain stands.
    """

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """phi of each state in nats, shape (n,); finite, or -inf where the density is 0.

        Args:
            states: the labelled tokens, n of them, each in the support of the constraints.
            texts: the decoded sentences, closing marks included.
        """
        ...


@dataclass(frozen=True, slots=True)
class Product:
    """The product of the terms to the power of their weights: phi = sum_k w_k phi_k, -inf where a term is.

    The terms are asked side by side.

    Attributes:
        terms: pairs (w_k, phi_k), each weight finite.
    """

    terms: Sequence[tuple[float, Potential]]

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """See :meth:`Potential.log_weights`."""
        values = await asyncio.gather(*(term.log_weights(states, texts) for _, term in self.terms))
        total = np.zeros(len(states))
        for (weight, _), value in zip(self.terms, values, strict=True):
            # A negative weight, or one of 0, does not lift a density of 0.
            total += np.where(np.isneginf(value), -np.inf, weight * np.where(np.isneginf(value), 0.0, value))
        return total
