"""Hard constraints: indicator potentials with a distance to the allowed set."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from samplers.state import State


class Constraint(Protocol):
    """A set of allowed states, given by a distance to it; as a potential, its indicator.

    A target's constraints are tested before the model is asked. The size of the distance guides the
    repair of first states (:mod:`samplers.first_states`), so count what is missing or too much:
    keywords absent, units too few.
    """

    __slots__ = ()
    cumulative: ClassVar[bool] = False
    """Whether all that is still to come adds to the violation, so that :meth:`hopeless` is asked with it."""
    judges_labels: ClassVar[bool] = False
    """Whether :meth:`hopeless` asks which tokens are a keyword's."""

    @abstractmethod
    def violation(self, state: State, text: str) -> float:
        """0 if the state is allowed, else a positive and finite distance.

        Args:
            state: the labelled tokens.
            text: the decoded sentence, its closing mark included.
        """
        ...

    def hopeless(self, beginning: State, text: str) -> bool:
        """Whether no sentence of the allowed set begins so; False where that is not known.

        Args:
            beginning: tokens without a closing one; their labels only count where :attr:`judges_labels`.
            text: the decoded beginning.
        """
        return False

    async def log_weights(self, states: Sequence[State], texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """0 for each allowed state, else -inf; shape (n,)."""
        violated = [self.violation(state, text) > 0 for state, text in zip(states, texts, strict=True)]
        return np.where(violated, -np.inf, 0.0)
