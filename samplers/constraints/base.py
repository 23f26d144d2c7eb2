"""What every hard constraint answers."""

from __future__ import annotations

from typing import Protocol

from samplers.state import State


class Constraint(Protocol):
    """A set of allowed states, given by a distance to it.

    The sampler only asks whether the distance is 0. Its size guides the construction of a
    first state (:mod:`samplers.first_states`), so count what is missing or too much: keywords
    absent, units too few.
    """

    def violation(self, state: State, text: str) -> float:
        """0 if the state is allowed, else a positive and finite distance.

        Args:
            state: the labelled tokens.
            text: the decoded sentence, its closing mark included.
        """
        ...
