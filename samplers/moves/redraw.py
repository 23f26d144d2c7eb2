"""Draw the end of the sentence again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from samplers.language import Alphabet, ProposalQuery, ProposalReply
from samplers.moves.base import MoveWeights, Proposal, Round
from samplers.state import END, FREE, State

PLACES = (0, 0, 1, 2)
"""Tokens after the last keyword that are kept: one of these. More would save little reading and change little."""


@dataclass(frozen=True, slots=True)
class Redraw:
    """Draw all tokens from a place after the last keyword again, one after the other, the closing one included.

    The place i is one of the first three after the last keyword (of the sentence, if there is none), the very first
    with probability 1/2. From it tokens are drawn over free and closing ones together, until one closes the sentence;
    after ``most`` free tokens the next is drawn over the closing ones alone. With y the k + 1 tokens drawn and z the
    l + 1 before:

        forward  p_redraw p_i * prod_{0 <= j <= k} q(y_j | x_<i y_<j)
        reverse  p_redraw p_i * prod_{0 <= j <= l} q(z_j | x_<i z_<j)

    and the move does not apply where i is beyond the closing token or l > ``most``. At beta = 1 with a small epsilon
    each product is nearly the model's own probability of these tokens, which cancels: of what the constraints
    admit nearly all is accepted. So it would not be if i were any place: the longer the new tail, the less likely is i.

    Attributes:
        ends: the closing tokens.
        most: most free tokens drawn, >= 0.
        epsilon: uniform share of the proposal distributions.
        hopeless: whether a sentence and all that go on from its beginning instead of closing have density 0, so that
            the rest need not be drawn to be rejected.
    """

    ends: Collection[int]
    most: int = 16
    epsilon: float = 0.002
    hopeless: Callable[[State], bool] = lambda state: False
    name: str = "redraw"
    reverse: str = "redraw"

    def draft(self, state: State, rng: np.random.Generator, weights: MoveWeights, sharpness: float) -> Round | None:
        first = max((i + 1 for i, owner in enumerate(state.owners) if owner >= 0), default=0)
        start = first + PLACES[int(rng.integers(len(PLACES)))]
        uniforms = [rng.random() for _ in range(self.most + 1)]
        if start > state.end or state.end - start > self.most:
            return None
        kept, old = state.tokens[:start], state.tokens[start:]

        def query(count: int, uniform: float | None, present: int | None = None) -> ProposalQuery:
            """About the token after ``count`` of the new ones."""
            alphabet = Alphabet.BOTH if count < self.most else Alphabet.ENDS
            return ProposalQuery(start + count, self.epsilon, sharpness, alphabet, uniform, present)

        def go_on(written: tuple[int, ...], ratio: float, reply: ProposalReply) -> Proposal | Round:
            assert reply.token is not None and reply.log_q is not None
            ratio -= reply.log_q
            closes = reply.token in self.ends
            after = (*written, reply.token) if closes else (*written, reply.token, state.tokens[-1])
            redrawn = State((*kept, *after), (*state.owners[:start], *([FREE] * (len(after) - 1)), END))
            if closes or self.hopeless(redrawn):
                return Proposal(redrawn, ratio)
            count = len(after) - 1
            return Round(
                (query(count, uniforms[count]),), lambda replies: go_on(after[:-1], ratio, replies[0]), redrawn.tokens
            )

        def finish(replies: Sequence[ProposalReply]) -> Proposal | Round:
            back = sum(reply.log_q_present for reply in replies if reply.log_q_present is not None)
            return go_on((), back, replies[0])

        asked = [query(count, None if count else uniforms[0], token) for count, token in enumerate(old)]
        return Round(asked, finish)
