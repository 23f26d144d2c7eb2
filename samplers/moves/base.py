"""Reversible proposals: a draft that may ask the language model for a token, then a proposal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from samplers.language import ProposalQuery, ProposalReply
from samplers.state import State


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed state.

    Attributes:
        state: x'.
        log_q_ratio: log q(x | x') - log q(x' | x) in nats, the probabilities of choosing the
            move itself included.
        local: whether the first of two stages of acceptance ends soon after the last difference of x and x',
            however many tokens lie between the first and the last; the same for the way back.
    """

    state: State
    log_q_ratio: float
    local: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A move whose places are chosen, and whose token the language model is still to draw.

    Attributes:
        query: about a proposal distribution of the current state, or None when the move needs no token.
        finish: makes the proposal of the reply (an empty reply when there is no query).
    """

    query: ProposalQuery | None
    finish: Callable[[ProposalReply], Proposal]

    def opened(self) -> Round:
        """The same as the only round."""
        if self.query is None:
            return Round((), lambda replies: self.finish(ProposalReply()))
        return Round((self.query,), lambda replies: self.finish(*replies))


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a move that draws several tokens one after the other.

    The kernel asks the rounds of all chains together, and the model reads the one new token of each beside the
    proposals of other chains. All uniforms are drawn at the first round, since a chain's generator is used there
    alone.

    Attributes:
        queries: about one text, of which at most one draws a token.
        finish: makes the proposal of the replies, in the queries' order, or the next round.
        text: a closed sentence that the queries are about, the prefix written so far and any closing token; None for
            the current state.
    """

    queries: Sequence[ProposalQuery]
    finish: Callable[[Sequence[ProposalReply]], Proposal | Round]
    text: tuple[int, ...] | None = None

    def opened(self) -> Round:
        """Itself."""
        return self


MoveWeights = dict[str, float]
"""Probability of choosing each move by name; they sum to 1 and do not depend on the state."""


class Move(Protocol):
    """A reversible proposal over states.

    The next-token distribution of a left context is the same before and after an edit at its
    position, so one query about the *current* state yields both probabilities of every move of one token. A move of
    more tokens goes on in rounds.
    """

    @property
    def name(self) -> str: ...

    @property
    def reverse(self) -> str:
        """Name of the move that leads back; a move's own name where it undoes itself."""
        ...

    def draft(
        self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float
    ) -> Draft | Round | None:
        """Choose the places of the move, or None where it does not apply (the chain stays).

        Args:
            state: the current state x.
            rng: the chain's own generator; its ``random`` only for a query's ``uniform``.
            weights: probability of choosing each move of the mix, for moves whose reverse is
                another move.
            sharpness: of the proposal distributions; the same for a move and its reverse.
        """
        ...
