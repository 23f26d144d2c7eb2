"""Laws of potentials and constraints."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from math import inf

import numpy as np
import numpy.typing as npt

from samplers.potentials.base import Potential
from samplers.state import State
from samplers.testing.toy import decode


class PotentialLaws:
    """A potential is a function of the state alone; a constraint is the indicator of violation 0.

    Attributes:
        potential: under test; of a constraint the violations are tested too.
        states: sample states, some of positive density; for a constraint both allowed and others.
        decode: token ids to text.
        tolerance: greatest difference that the batch makes, in nats.
    """

    potential: Potential
    states: Sequence[State]
    decode: Callable[[Sequence[int]], str] = staticmethod(decode)
    tolerance: float = 1e-6

    def _values(self, states: Sequence[State]) -> npt.NDArray[np.float64]:
        texts = [self.decode(state.tokens) for state in states]
        return np.asarray(asyncio.run(self.potential.log_weights(states, texts)))

    def test_one_value_a_state_finite_or_minus_infinity(self) -> None:
        values = self._values(self.states)
        assert values.shape == (len(self.states),)
        assert not (np.isnan(values) | np.isposinf(values)).any(), values
        assert np.isfinite(values).any(), "no state has positive density: give some that have"

    def test_the_batch_changes_no_value(self) -> None:
        together = self._values(self.states)
        alone = np.concatenate([self._values([state]) for state in self.states])
        backwards = self._values(self.states[::-1])[::-1]
        for other in (alone, backwards):
            np.testing.assert_allclose(other, together, rtol=0, atol=self.tolerance)

    def test_violation_is_the_distance_to_the_allowed_states(self) -> None:
        violation = getattr(self.potential, "violation", None)
        if violation is None:
            return
        distances = [violation(state, self.decode(state.tokens)) for state in self.states]
        assert all(0 <= distance < inf for distance in distances), distances
        assert [0.0 if distance == 0 else -inf for distance in distances] == self._values(self.states).tolist()
        assert any(distances), "no state violates the constraint: give some that do"
