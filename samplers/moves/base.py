"""Reversible proposals: a draft that may ask the language model for a token, then a proposal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from samplers.language import ProposalQuery, ProposalReply
from samplers.state import State

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposed state.

    Attributes:
        state: x'.
        log_q_ratio: log q(x | x') - log q(x' | x) in nats, the probabilities of choosing the
            move itself included.
        local: whether the first of two stages of acceptance ends soon after the last difference of x and x',
            however many tokens lie between the first and the last; the same for the way back.
        base: number of a text read that x' goes on from; None for the last one, or the state.
    """

    state: State
    log_q_ratio: float
    local: bool = False
    base: int | None = None


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
class Text:
    """A closed sentence that a move asks about: what it has written so far and any closing token.

    Attributes:
        tokens: token ids.
        base: number of the text that it goes on from, counted over the texts of all rounds; None for the state.
    """

    tokens: tuple[int, ...]
    base: int | None = None


@dataclass(frozen=True, slots=True)
class Round:
    """One round of a move that draws several tokens one after the other.

    The kernel asks the rounds of all chains together, and the model reads the new tokens of each beside the
    proposals of other chains. All uniforms are drawn at the first round, since a chain's generator is used there
    alone.

    Attributes:
        queries: about texts read, each of which draws a token or asks about one.
        finish: makes the proposal of the replies, in the queries' order, or the next round.
        texts: to be read before the queries are answered.
        about: for each query the number of its text, None for the state; left out where all are about the last text.
    """

    queries: Sequence[ProposalQuery]
    finish: Callable[[Sequence[ProposalReply]], Proposal | Round]
    texts: Sequence[Text] = ()
    about: Sequence[int | None] | None = None

    def opened(self) -> Round:
        """Itself."""
        return self

    def asked(self, read: Sequence[S], state: S) -> list[S]:
        """For each query the text that it is about, given the texts read so far and the state."""
        about = [len(read) - 1 if read else None] * len(self.queries) if self.about is None else self.about
        return [state if number is None else read[number] for number in about]


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
