"""Grow the rest of the sentence again, from a keyword on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from samplers.growth import Growth, GrowthOptions
from samplers.moves.base import MoveWeights, Round
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Regrow:
    """Draw all that follows the m-th keyword again, other keywords included, by conditional sequential Monte Carlo.

    m is one of 0 ... K - 1 of K keywords, so at least the last is placed anew; with none, all is drawn again. One of
    the particles is what stands there now, and the others grow from the same beginning
    (:class:`~samplers.growth.Growth`). What the move gives is a draw of a kernel that is reversible for the heated
    objective under the constraints, which the ratio

        q(x | x') / q(x' | x) = exp(beta (v(x) - v(x')))

    says, so that the kernel accepts it, but for a potential. It changes many tokens together that single edits
    can't, since a new beginning goes badly with the words that follow it.

    Sources: Andrieu, Doucet and Holenstein, Particle Markov chain Monte Carlo methods (JRSS B 2010); that it is
    reversible: Chopin and Singh, On particle Gibbs sampling (Bernoulli 2015); to grow the rest of a chain
    again: Siepmann and Frenkel, Configurational bias Monte Carlo (Molecular Physics 1992).

    Attributes:
        options: of the particles.
    """

    options: GrowthOptions
    name: str = "regrow"
    reverse: str = "regrow"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Round | None:
        """See :meth:`samplers.moves.base.Move.draft`."""
        kept = int(rng.integers(max(1, len(state.keywords))))
        # Draws go on in later rounds, in which the chain's own generator may not be used.
        own = np.random.Generator(np.random.PCG64(int(rng.integers(2**63))))
        if len(state) > self.options.max_tokens:
            return None
        return Growth(self.options, state, kept, sharpness, own).first_round()
